package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.testing.YamlFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Dockerfile, docker-compose.yml, conf/compose, conf/haproxy and conf/kubernetes agree with each other and with the program;
 * {@code benchmarks/deploy} runs them.
 */
final class DeployFilesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path KUBERNETES = ROOT.resolve("conf/kubernetes");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)");
    private static final Pattern HOST_AND_PORT = Pattern.compile("\\b([a-z]+[0-9]?):([0-9]{4})\\b");

    private static Config compose() throws IOException {
        return YamlFile.documents(ROOT.resolve("docker-compose.yml")).getFirst();
    }

    private static Config service(String name) throws IOException {
        return Objects.requireNonNull(services().get(name), name);
    }

    private static Map<String, Config> services() throws IOException {
        Config services = compose().getConfig("services");
        Map<String, Config> all = new TreeMap<>();
        services.root().keySet().forEach(name -> all.put(name, services.getConfig(ConfigUtil.quoteString(name))));
        return all;
    }

    private static List<String> list(Config from, String path) {
        return from.hasPath(path) ? from.getStringList(path) : List.of();
    }

    /** Resources of a kind, from all files. */
    private static List<Config> resources(String kind) throws IOException {
        List<Config> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(KUBERNETES)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".yaml")).toList()) {
                YamlFile.documents(file).stream()
                        .filter(document -> document.getString("kind").equals(kind))
                        .forEach(found::add);
            }
        }
        assertThat(found).as(kind).isNotEmpty();
        return found;
    }

    private static Config pod() throws IOException {
        return resources("StatefulSet").getFirst().getConfig("spec.template.spec");
    }

    private static Config container() throws IOException {
        return pod().getConfigList("containers").getFirst();
    }

    private static String dockerfile(String instruction) throws IOException {
        Matcher line =
                Pattern.compile("(?m)^" + instruction + " (.*)$").matcher(Files.readString(ROOT.resolve("Dockerfile")));
        assertThat(line.find()).as(instruction).isTrue();
        return line.group(1);
    }

    private static Set<String> variables(String text) {
        return VARIABLE.matcher(text)
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The settings with a value for each variable that these names have. */
    private static ProxyConfig load(Path file, Set<String> names) throws ConfigProblems {
        Map<String, String> environment = new TreeMap<>();
        names.forEach(name -> environment.put(name, "0123456789abcdef"));
        environment.put("PGPROXY_PEER_ID", "1");
        return ConfigLoader.load(file, environment);
    }

    private static ProxyConfig inCompose() throws IOException, ConfigProblems {
        return load(
                ROOT.resolve("conf/compose/pgproxy.conf"),
                service("pgproxy1").getConfig("environment").root().keySet());
    }

    private static ProxyConfig inKubernetes(Path directory) throws IOException, ConfigProblems {
        Config secret = resources("Secret").getFirst();
        Path file = directory.resolve("pgproxy.conf");
        Files.writeString(
                file,
                resources("ConfigMap").getFirst().getConfig("data").getString(ConfigUtil.quoteString("pgproxy.conf")));
        return load(file, secret.getConfig("stringData").root().keySet());
    }

    private static Duration seconds(String text) {
        return Duration.ofSeconds(Long.parseLong(text.replaceFirst("s$", "")));
    }

    @Test
    void everyFileThatIsMountedIsThere() throws IOException {
        int mounted = 0;
        Set<String> volumes = compose().getConfig("volumes").root().keySet();
        for (Map.Entry<String, Config> service : services().entrySet()) {
            for (String volume : list(service.getValue(), "volumes")) {
                String source = volume.split(":", 2)[0];
                if (source.startsWith("./")) {
                    assertThat(ROOT.resolve(source.substring(2)))
                            .as(service.getKey())
                            .exists();
                    assertThat(volume).endsWith(":ro");
                    mounted++;
                } else {
                    assertThat(volumes).contains(source);
                }
            }
        }
        assertThat(mounted).isGreaterThan(8);
    }

    @Test
    void everyHostThatIsNamedIsAServiceOfTheCompose() throws IOException {
        Map<String, Config> services = services();
        for (Config service : services.values()) {
            if (service.hasPath("depends_on")) {
                service.getConfig("depends_on").root().keySet().forEach(name -> {
                    assertThat(services).containsKey(name);
                    assertThat(service.getString("depends_on." + name + ".condition"))
                            .isEqualTo("service_healthy");
                    assertThat(Objects.requireNonNull(services.get(name)).hasPath("healthcheck")
                                    || name.startsWith("pgproxy"))
                            .as("health check of %s", name)
                            .isTrue();
                });
            }
        }
        Set<String> named = new TreeSet<>();
        try (Stream<Path> files = Files.list(ROOT.resolve("conf/compose"))) {
            for (Path file : Stream.concat(files, Stream.of(ROOT.resolve("conf/haproxy/haproxy.cfg")))
                    .toList()) {
                HOST_AND_PORT
                        .matcher(Files.readString(file))
                        .results()
                        .map(MatchResult::group)
                        .forEach(named::add);
            }
        }
        assertThat(named)
                .isSubsetOf(Set.of(
                        "primary:5432",
                        "replica1:5432",
                        "replica2:5432",
                        "redis:6379",
                        "pgproxy1:6432",
                        "pgproxy2:6432",
                        "pgproxy1:9127",
                        "pgproxy2:9127",
                        "prometheus:9090",
                        "alertmanager:9093"))
                .hasSize(10)
                .allSatisfy(each -> assertThat(services).containsKey(each.substring(0, each.indexOf(':'))));
    }

    @Test
    void everyVariableOfTheComposeIsInItsExample() throws IOException {
        String example = Files.readString(ROOT.resolve("conf/compose/env.example"));
        Set<String> offered = Pattern.compile("(?m)^(\\w+)=$")
                .matcher(example)
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(variables(
                        Files.readString(ROOT.resolve("docker-compose.yml")).replace("$$", "")))
                .isEqualTo(offered);
    }

    @Test
    void settingsOfTheComposeLoadAndFitItsImage() throws IOException, ConfigProblems {
        ProxyConfig config = inCompose();
        assertThat(dockerfile("EXPOSE"))
                .isEqualTo(config.listen().listenPort() + " " + config.http().port());
        assertThat(config.peers().peers()).containsOnlyKeys(2);
        assertThat(config.databases()).containsOnlyKeys("app");
        String haproxy = Files.readString(ROOT.resolve("conf/haproxy/haproxy.cfg"));
        assertThat(haproxy)
                .contains("check port " + config.http().port())
                .contains("bind :" + config.listen().listenPort());
        for (String name : List.of("pgproxy1", "pgproxy2")) {
            Config service = service(name);
            assertThat(haproxy)
                    .contains("server " + name + " " + name + ":"
                            + config.listen().listenPort());
            assertThat(service.getString("environment.PGPROXY_PEER_ID")).isEqualTo(name.replaceAll("\\D", ""));
            assertThat(seconds(service.getString("stop_grace_period")))
                    .isGreaterThan(config.timeouts().shutdownTimeout());
        }
        assertThat(service("haproxy").getStringList("ports"))
                .containsExactly("127.0.0.1:6432:" + config.listen().listenPort());
    }

    @Test
    void prometheusOfTheComposeAsksEachInstance() throws IOException {
        Config prometheus =
                YamlFile.documents(ROOT.resolve("conf/compose/prometheus.yml")).getFirst();
        Config job = prometheus.getConfigList("scrape_configs").getFirst();
        assertThat(job.getConfigList("static_configs").getFirst().getStringList("targets"))
                .containsExactly("pgproxy1:9127", "pgproxy2:9127");
        assertThat(job.getString("authorization.credentials_file")).isEqualTo("/run/secrets/http_token");
        assertThat(service("prometheus").getStringList("secrets")).containsExactly("http_token");
        String rules = prometheus.getStringList("rule_files").getFirst();
        assertThat(service("prometheus").getStringList("volumes"))
                .contains("./conf/prometheus/" + rules + ":/etc/prometheus/" + rules + ":ro");
    }

    @Test
    void theImageStartsTheLauncherWithoutAShellAndAsNobody() throws IOException {
        assertThat(dockerfile("ENTRYPOINT")).isEqualTo("[\"/opt/pgproxy/bin/pgproxy\"]");
        assertThat(dockerfile("CMD")).isEqualTo("[\"run\", \"-c\", \"/etc/pgproxy/pgproxy.conf\"]");
        assertThat(Files.readString(ROOT.resolve("bin/pgproxy"))
                        .strip()
                        .lines()
                        .toList()
                        .getLast())
                .as("TERM is Java's")
                .startsWith("exec ");
        assertThat(dockerfile("STOPSIGNAL")).isEqualTo("SIGTERM");
        assertThat(dockerfile("USER")).isEqualTo("10001:10001");
        assertThat(dockerfile("HEALTHCHECK")).contains("/opt/pgproxy/bin/alive");
        assertThat(Files.readString(ROOT.resolve("conf/compose/alive.sh"))).contains("GET /health/live ");
        assertThat(Files.readAllLines(ROOT.resolve(".dockerignore"))).contains(".env", ".git");
        for (Config service : services().values()) {
            for (String volume : list(service, "volumes")) {
                if (volume.contains("pgproxy.conf")) {
                    assertThat(volume).contains(":/etc/pgproxy/pgproxy.conf:");
                }
            }
        }
    }

    @Test
    void settingsOfTheConfigMapLoadAndFitThePods(@TempDir Path directory) throws IOException, ConfigProblems {
        ProxyConfig config = inKubernetes(directory);
        Config set = resources("StatefulSet").getFirst().getConfig("spec");
        assertThat(set.getInt("ordinals.start")).as("0 is no peer_id").isEqualTo(1);
        String peers = set.getString("serviceName");
        for (int pod = 2; pod <= set.getInt("replicas"); pod++) {
            assertThat(config.peers().peers().get(pod))
                    .hasToString("pgproxy-" + pod + "." + peers + ":"
                            + config.listen().listenPort());
        }
        Map<String, Integer> ports = new TreeMap<>();
        container()
                .getConfigList("ports")
                .forEach(port -> ports.put(port.getString("name"), port.getInt("containerPort")));
        assertThat(ports)
                .isEqualTo(Map.of(
                        "postgres",
                        config.listen().listenPort(),
                        "http",
                        config.http().port()));
        for (Config service : resources("Service")) {
            service.getConfigList("spec.ports")
                    .forEach(
                            port -> assertThat(ports).containsEntry(port.getString("targetPort"), port.getInt("port")));
        }
        Duration pause = seconds(
                container().getStringList("lifecycle.preStop.exec.command").getLast());
        assertThat(Duration.ofSeconds(pod().getLong("terminationGracePeriodSeconds")))
                .isGreaterThan(pause.plus(config.timeouts().shutdownTimeout()));
    }

    @Test
    void probesAskWhatIsAnsweredWithoutAToken() throws IOException {
        Map<String, String> asked = Map.of(
                "startupProbe", "/health/live", "livenessProbe", "/health/live", "readinessProbe", "/health/ready");
        for (Map.Entry<String, String> probe : asked.entrySet()) {
            Config get = container().getConfig(probe.getKey() + ".httpGet");
            assertThat(get.getString("path")).isEqualTo(probe.getValue());
            assertThat(Endpoints.isPublic(get.getString("path"))).isTrue();
            assertThat(get.getString("port")).isEqualTo("http");
        }
        assertThat(Files.readString(ROOT.resolve("conf/haproxy/haproxy.cfg"))).contains("uri /health/ready ");
    }

    @Test
    void podsAreFoundByTheirLabelsAndMountWhatThereIs() throws IOException {
        String label = "spec.selector.\"app.kubernetes.io/name\"";
        assertThat(resources("Service"))
                .allSatisfy(service -> assertThat(service.getString(label)).isEqualTo("pgproxy"));
        Config set = resources("StatefulSet").getFirst();
        Config labels = set.getConfig("spec.template.metadata.labels");
        assertThat(set.getConfig("spec.selector.matchLabels")).isEqualTo(labels);
        assertThat(resources("PodDisruptionBudget").getFirst().getConfig("spec.selector.matchLabels"))
                .isEqualTo(labels);
        Set<String> volumes = pod().getConfigList("volumes").stream()
                .map(volume -> volume.getString("name"))
                .collect(Collectors.toSet());
        assertThat(container().getConfigList("volumeMounts"))
                .isNotEmpty()
                .allSatisfy(mount -> assertThat(volumes).contains(mount.getString("name")));
        assertThat(container().getBoolean("securityContext.readOnlyRootFilesystem"))
                .isTrue();
        assertThat(pod().getString("securityContext.runAsUser") + ":" + pod().getString("securityContext.runAsGroup"))
                .isEqualTo(dockerfile("USER"));
    }

    @Test
    void noSecretIsInAnExample() throws IOException {
        assertThat(resources("Secret")
                        .getFirst()
                        .getConfig("stringData")
                        .root()
                        .unwrapped()
                        .values())
                .isNotEmpty()
                .containsOnly("");
    }
}
