package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs {@code bin/pgproxy} in a made-up checkout, with a made-up JDK that prints its arguments. */
class LauncherTest {
    private static final List<String> TOOLS = List.of(
            "sh",
            "dirname",
            "readlink",
            "sed",
            "find",
            "head",
            "date",
            "mkdir",
            "touch",
            "mv",
            "rm",
            "cat",
            "sleep",
            "uname");

    @TempDir
    private Path temp;

    private Path checkout;
    private Path target;

    @BeforeEach
    void makeCheckout() throws IOException {
        // a name with a blank, as users have
        checkout = temp.toRealPath().resolve("my projects").resolve("pgproxy");
        target = checkout.resolve("pgproxy/target");
        Files.createDirectories(target.resolve("lib"));
        Files.createDirectories(target.resolve("demo-lib"));
        Files.createDirectories(checkout.resolve("bin"));
        Files.createDirectories(checkout.resolve("pgproxy/src/main"));
        Files.copy(Path.of("../bin/pgproxy"), checkout.resolve("bin/pgproxy"));
        Files.createFile(target.resolve("lib/pgproxy-1.0.jar"));
        Files.createFile(target.resolve("lib/protocol-1.0.jar"));
    }

    @Test
    void argumentsReachTheProgramAndFlagsAreTunedForTheJdk() throws Exception {
        Outcome outcome = run(jdk("25.0.3"), "run", "--primary", "a b");

        assertThat(outcome.lines())
                .contains("-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "--sun-misc-unsafe-memory-access=allow")
                .endsWith("-cp", target + "/lib/pgproxy-1.0.jar", "dev.pgproxy.Main", "run", "--primary", "a b");
        assertThat(outcome.exit()).isEqualTo(7);
    }

    @Test
    void anotherDirectoryAndSymbolicLinksMakeNoDifference() throws Exception {
        Path links = Files.createDirectories(temp.resolve("links"));
        Path first = Files.createSymbolicLink(
                links.resolve("one"), links.toRealPath().relativize(checkout.resolve("bin/pgproxy")));
        Path second = Files.createSymbolicLink(temp.resolve("two"), first);

        Outcome outcome = run(second, jdk("25"), Map.of(), "check");

        assertThat(outcome.lines()).endsWith("-cp", target + "/lib/pgproxy-1.0.jar", "dev.pgproxy.Main", "check");
    }

    @Test
    void theDemoAloneHasTheEmbeddedServersOnItsClassPath() throws Exception {
        assertThat(run(jdk("25"), "demo").lines()).contains(target + "/lib/pgproxy-1.0.jar:" + target + "/demo-lib/*");
    }

    @Test
    void inAnArchiveTheJarsAreBesideBin() throws Exception {
        Path archive = archive();

        assertThat(run(archive.resolve("bin/pgproxy"), jdk("25"), Map.of(), "run")
                        .lines())
                .endsWith("-cp", archive + "/lib/pgproxy-1.0.jar", "dev.pgproxy.Main", "run");
    }

    @Test
    void anArchiveWithoutTheServersOfTheDemoSaysWhatToUnpackWhere() throws Exception {
        Path archive = archive();

        Outcome without = run(archive.resolve("bin/pgproxy"), jdk("25"), Map.of(), "demo");
        Files.createDirectories(archive.resolve("demo-lib"));
        Outcome with = run(archive.resolve("bin/pgproxy"), jdk("25"), Map.of(), "demo");

        assertThat(without.lines())
                .containsExactly("pgproxy: the demo's PostgreSQL and Redis are an archive of their own:"
                        + " tar xzf pgproxy-1.0-demo.tar.gz -C '" + archive + "' --strip-components 1");
        assertThat(without.exit()).isEqualTo(1);
        assertThat(with.lines()).contains(archive + "/lib/pgproxy-1.0.jar:" + archive + "/demo-lib/*");
    }

    @Test
    void whatPrepareKeepsIsUsedByLaterStarts() throws Exception {
        Path launcher = archive().resolve("bin/pgproxy");
        Path kept = archive().resolve("lib/pgproxy-25.aot");
        Path jdk = jdk("25.0.1");

        Outcome before = run(launcher, jdk, Map.of(), "run");
        executable(
                jdk.resolve("bin/java"),
                "for flag in \"$@\"; do case $flag in -XX:AOTCacheOutput=*) echo x >\"${flag#*=}\";; esac; done");
        Outcome prepare = run(launcher, jdk, Map.of(), "prepare");
        Outcome after = run(launcher, jdk("25.0.1"), Map.of(), "run");

        assertThat(before.lines()).noneMatch(line -> line.contains("AOT"));
        assertThat(prepare.lines()).containsExactly("kept in " + kept);
        assertThat(prepare.exit()).isZero();
        assertThat(kept.getParent()).isDirectoryNotContaining("glob:**.aot.*");
        assertThat(after.lines()).contains("-XX:AOTCache=" + kept);
    }

    @Test
    void aPrepareThatFailsSaysWhyAndLeavesNothing() throws Exception {
        Path jdk = jdk("25");
        executable(
                jdk.resolve("bin/java"),
                "for flag in \"$@\"; do case $flag in -XX:AOTCacheOutput=*) echo x >\"${flag#*=}\";; esac; done;"
                        + " echo 'no room'; exit 3");

        Outcome outcome = run(archive().resolve("bin/pgproxy"), jdk, Map.of(), "prepare");

        assertThat(outcome.lines()).containsExactly("pgproxy: no room");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(archive().resolve("lib")).isDirectoryNotContaining("glob:**.aot*");
    }

    @Test
    void flagsOfTheUserComeLast() throws Exception {
        Outcome outcome =
                run(checkout.resolve("bin/pgproxy"), jdk("25"), Map.of("PGPROXY_JAVA_OPTS", "-Xmx1g -Dx=y"), "run");

        assertThat(outcome.lines())
                .containsSequence("-Xmx1g", "-Dx=y", "-cp")
                .containsSubsequence("-Xmx128m", "-Xmx1g");
    }

    @Test
    void withoutAJarAndWithoutMavenOneSentenceSaysSo() throws Exception {
        Files.createFile(checkout.resolve("pom.xml"));
        Files.delete(target.resolve("lib/pgproxy-1.0.jar"));

        Outcome outcome = run(checkout.resolve("bin/pgproxy"), jdk("25"), Map.of("PATH", toolsOnly()), "run");

        assertThat(outcome.lines())
                .containsExactly("pgproxy: not built yet, and Maven (mvn) is missing; install Maven 3.8.7 or newer.");
        assertThat(outcome.exit()).isEqualTo(1);
    }

    @Test
    void mavenRunsOnceForSourcesThatAreNewer() throws Exception {
        Files.createFile(checkout.resolve("pom.xml"));
        Files.createFile(checkout.resolve("pgproxy/src/main/New.java"));
        Files.setLastModifiedTime(
                target.resolve("lib/pgproxy-1.0.jar"), java.nio.file.attribute.FileTime.fromMillis(0));
        Path mvn = Files.createDirectories(temp.resolve("maven")).resolve("mvn");
        executable(mvn, "echo maven runs in \"$PWD\"");
        Map<String, String> path = Map.of("PATH", mvn.getParent() + ":" + System.getenv("PATH"));

        Outcome first = run(checkout.resolve("bin/pgproxy"), jdk("25"), path, "run");
        Outcome second = run(checkout.resolve("bin/pgproxy"), jdk("25"), path, "run");

        assertThat(first.lines()).contains("maven runs in " + checkout).contains("dev.pgproxy.Main");
        assertThat(second.lines()).noneMatch(line -> line.contains("maven")).contains("dev.pgproxy.Main");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofTwoLaunchersOneBuildsAndTheOtherWaits(boolean withFlock) throws Exception {
        Files.createFile(checkout.resolve("pom.xml"));
        Files.createFile(checkout.resolve("pgproxy/src/main/New.java"));
        Files.delete(target.resolve("lib/pgproxy-1.0.jar"));
        Path go = temp.toRealPath().resolve("go");
        Path tools = Path.of(toolsOnly());
        executable(
                tools.resolve("mvn"),
                "echo maven runs; while [ ! -e '" + go + "' ]; do sleep 0.1; done; touch '" + target
                        + "/lib/pgproxy-1.0.jar'");
        String path = withFlock ? tools + ":" + System.getenv("PATH") : tools.toString();

        Process first = start(checkout.resolve("bin/pgproxy"), jdk("25"), Map.of("PATH", path), "run");
        try (BufferedReader builds = first.inputReader(StandardCharsets.UTF_8)) {
            assertThat(builds.lines().anyMatch("maven runs"::equals)).isTrue();
            Process second = start(checkout.resolve("bin/pgproxy"), jdk("25"), Map.of("PATH", path), "run");
            try (BufferedReader waits = second.inputReader(StandardCharsets.UTF_8)) {
                assertThat(waits.lines().anyMatch(line -> line.contains("another bin/pgproxy builds here")))
                        .isTrue();
                Files.createFile(go);
                assertThat(waits.lines()).noneMatch("maven runs"::equals).contains("dev.pgproxy.Main");
                assertThat(builds.lines()).contains("dev.pgproxy.Main");
            }
        }
    }

    @Test
    void theLockOfALauncherThatWasKilledIsTakenOver() throws Exception {
        Files.createFile(checkout.resolve("pom.xml"));
        Files.delete(target.resolve("lib/pgproxy-1.0.jar"));
        Path lock = Files.createDirectories(target.resolve(".launcher-lock.d"));
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        Files.writeString(lock.resolve("pid"), gone.pid() + "\n");
        String tools = toolsOnly();
        executable(Path.of(tools, "mvn"), "touch '" + target + "/lib/pgproxy-1.0.jar'");

        Outcome outcome = run(checkout.resolve("bin/pgproxy"), jdk("25"), Map.of("PATH", tools), "run");

        assertThat(outcome.lines()).contains("dev.pgproxy.Main");
        assertThat(lock).doesNotExist();
    }

    /** As it is unpacked. */
    private Path archive() throws IOException {
        Path archive = temp.toRealPath().resolve("opt dir").resolve("pgproxy-1.0");
        if (!Files.exists(archive)) {
            Files.createDirectories(archive.resolve("bin"));
            Files.createDirectories(archive.resolve("lib"));
            Files.copy(Path.of("../bin/pgproxy"), archive.resolve("bin/pgproxy"));
            Files.createFile(archive.resolve("lib/pgproxy-1.0.jar"));
        }
        return archive;
    }

    private record Outcome(int exit, List<String> lines) {}

    private Outcome run(Path jdk, String... arguments) throws Exception {
        return run(checkout.resolve("bin/pgproxy"), jdk, Map.of(), arguments);
    }

    private Outcome run(Path launcher, Path jdk, Map<String, String> environment, String... arguments)
            throws Exception {
        Process process = start(launcher, jdk, environment, arguments);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), output.lines().toList());
    }

    private Process start(Path launcher, Path jdk, Map<String, String> environment, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(temp.toFile()).redirectErrorStream(true);
        builder.environment().remove("PGPROXY_JAVA_OPTS");
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private Path jdk(String version) throws IOException {
        Path jdk = Files.createDirectories(temp.toRealPath().resolve("jdk-" + version));
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        executable(jdk.resolve("bin/java"), "printf '%s\\n' \"$@\"; exit 7");
        executable(jdk.resolve("bin/javac"), "");
        return jdk;
    }

    private String toolsOnly() throws IOException {
        Path tools = Files.createDirectories(temp.resolve("tools"));
        for (String tool : TOOLS) {
            Path real = Stream.of(System.getenv("PATH").split(":"))
                    .map(dir -> Path.of(dir, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            executable(tools.resolve(tool), "exec " + real + " \"$@\"");
        }
        return tools.toString();
    }

    private static void executable(Path file, String script) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
