package dev.pgproxy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Dependencies point one way, and nothing that runs on an event loop blocks it. */
final class ArchitectureTest {
    private static final String ROOT = "dev.pgproxy";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/test-classes/"))
            .importPackages(ROOT);

    /** Packages whose code runs on event loops. */
    private static final String[] ON_LOOPS = {
        ROOT + ".client",
        ROOT + ".warm",
        ROOT + ".query",
        ROOT + ".pool",
        ROOT + ".server",
        ROOT + ".session",
        ROOT + ".cancel",
        ROOT + ".net"
    };

    /** Who may touch files there, because none of it runs on an event loop. */
    private static final Set<String> FILES_OFF_THE_LOOPS = Set.of(
            ROOT + ".client.ClientListener", // unix sockets, bound and unbound by the main thread
            ROOT + ".client.PeerCredentials", // /etc/passwd, on the common pool
            ROOT + ".net.ClientTls", // certificates, at the start and at RELOAD
            ROOT + ".net.ServerTls");

    /** Who may look up names there: on a thread of its own. */
    private static final String NAMES_OFF_THE_LOOPS = ROOT + ".net.HostNames";

    @Test
    void callsGoDownFromTheClientToTheSockets() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("console")
                .definedBy(ROOT + ".console..")
                .layer("http")
                .definedBy(ROOT + ".http..")
                .layer("client")
                .definedBy(ROOT + ".client..")
                .layer("alert")
                .definedBy(ROOT + ".alert..")
                .layer("warm")
                .definedBy(ROOT + ".warm..")
                .layer("query")
                .definedBy(ROOT + ".query..")
                .layer("listen")
                .definedBy(ROOT + ".listen..")
                .layer("pool")
                .definedBy(ROOT + ".pool..")
                .layer("cancel")
                .definedBy(ROOT + ".cancel..")
                .layer("server")
                .definedBy(ROOT + ".server..")
                .layer("net")
                .definedBy(ROOT + ".net..")
                .layer("session")
                .definedBy(ROOT + ".session..")
                .layer("config")
                .definedBy(ROOT + ".config..")
                .whereLayer("console")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("http")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("client")
                .mayOnlyBeAccessedByLayers("warm", "console", "http")
                .whereLayer("warm")
                .mayOnlyBeAccessedByLayers("console")
                .whereLayer("alert")
                .mayOnlyBeAccessedByLayers("console")
                .whereLayer("query")
                .mayOnlyBeAccessedByLayers("client", "console")
                .whereLayer("listen")
                .mayOnlyBeAccessedByLayers("query", "client", "console")
                .whereLayer("pool")
                .mayOnlyBeAccessedByLayers("listen", "query", "client", "warm", "alert", "console")
                .whereLayer("cancel")
                .mayOnlyBeAccessedByLayers("query", "client", "console")
                .whereLayer("server")
                .mayOnlyBeAccessedByLayers("pool", "listen", "query", "client", "console")
                .whereLayer("session")
                .mayOnlyBeAccessedByLayers("server", "pool", "listen", "query", "client", "console")
                .whereLayer("net")
                .mayOnlyBeAccessedByLayers("server", "pool", "cancel", "query", "client", "warm", "console", "http")
                .check(CLASSES);
    }

    @Test
    void thereAreNoCyclesBetweenPackages() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void nothingDependsOnTheRoot() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(ROOT)
                .check(CLASSES);
    }

    @Test
    void onlyTheRootKnowsTheDemo() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".demo..")
                .should()
                .onlyHaveDependentClassesThat()
                .resideInAnyPackage(ROOT, ROOT + ".demo..")
                .check(CLASSES);
    }

    @Test
    void whatIsBelowAllKnowsNothingAbove() {
        noClasses()
                .that()
                .resideInAnyPackage(ROOT + ".protocol..", ROOT + ".config..", ROOT + ".session..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + ".client..",
                        ROOT + ".query..",
                        ROOT + ".listen..",
                        ROOT + ".pool..",
                        ROOT + ".server..",
                        ROOT + ".net..",
                        ROOT + ".auth..",
                        ROOT + ".cancel..",
                        ROOT + ".console..")
                .check(CLASSES);
    }

    @Test
    void theQueryPathHasNoFutures() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        ROOT + ".query..",
                        ROOT + ".listen..",
                        ROOT + ".pool..",
                        ROOT + ".server..",
                        ROOT + ".session..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.CompletableFuture")
                .check(CLASSES);
    }

    @Test
    void nothingOnAnEventLoopReadsFilesOrOpensBlockingSockets() {
        noClasses()
                .that()
                .resideInAnyPackage(ON_LOOPS)
                .and(DescribedPredicate.not(offTheLoops()))
                .should()
                .dependOnClassesThat(blocking())
                .check(CLASSES);
    }

    @Test
    void nothingOnAnEventLoopWaits() {
        noClasses()
                .that()
                .resideInAnyPackage(ON_LOOPS)
                .should()
                .callMethodWhere(DescribedPredicate.describe("it blocks the thread", ArchitectureTest::waits))
                .check(CLASSES);
    }

    private static DescribedPredicate<JavaClass> offTheLoops() {
        return DescribedPredicate.describe("run off the event loops", c -> FILES_OFF_THE_LOOPS.contains(outermost(c)));
    }

    private static String outermost(JavaClass javaClass) {
        String name = javaClass.getFullName();
        int dollar = name.indexOf('$');
        return dollar < 0 ? name : name.substring(0, dollar);
    }

    private static DescribedPredicate<JavaClass> blocking() {
        Set<String> names = Set.of(
                "java.nio.file.Files",
                "java.io.File",
                "java.io.RandomAccessFile",
                "java.io.FileInputStream",
                "java.io.FileOutputStream",
                "java.io.FileReader",
                "java.net.Socket",
                "java.net.ServerSocket",
                "java.net.URLConnection",
                "java.net.http.HttpClient");
        return DescribedPredicate.describe(
                "block the thread",
                c -> names.contains(c.getFullName())
                        || c.getPackageName().equals("java.sql")
                        || c.getPackageName().equals("javax.sql"));
    }

    private static boolean waits(JavaAccess<?> access) {
        String owner = access.getTargetOwner().getFullName();
        String name = access.getName();
        return switch (owner) {
            case "java.lang.Thread" -> name.equals("sleep") || name.equals("join");
            case "java.lang.Object" -> name.equals("wait");
            case "java.util.concurrent.CompletableFuture", "java.util.concurrent.Future" ->
                name.equals("get") || name.equals("join");
            case "java.util.concurrent.CountDownLatch", "java.util.concurrent.locks.Condition" -> name.equals("await");
            case "java.net.InetAddress" ->
                (name.equals("getByName") || name.equals("getAllByName"))
                        && !outermost(access.getOriginOwner()).equals(NAMES_OFF_THE_LOOPS);
            default -> false;
        };
    }
}
