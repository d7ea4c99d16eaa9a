package dev.pgproxy.consistency;

import dev.pgproxy.PgProxy;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code benchmarks/consistency}: exit code 0 without violations, 1 with, 2 for a wrong option. */
@Command(
        name = "benchmarks/consistency",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Looks for reads that are older than promised, while replicas lag and connections break.")
final class ConsistencyRun implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(ConsistencyRun.class);

    @Option(
            names = "--mode",
            split = ",",
            defaultValue = "TABLE,SESSION,EVENTUAL",
            paramLabel = "MODES",
            description = "table, session, eventual, one after the other (default: all)")
    private List<Mode> modes = List.of();

    @Option(
            names = "--seconds",
            defaultValue = "60",
            paramLabel = "N",
            description = "of each mode (default ${DEFAULT-VALUE})")
    private int seconds;

    @Option(
            names = "--reads",
            defaultValue = "0",
            paramLabel = "N",
            description = "to be judged at least, for as long as that takes (default ${DEFAULT-VALUE})")
    private long reads;

    @Option(
            names = "--sessions",
            defaultValue = "24",
            paramLabel = "N",
            description = "at a time (default ${DEFAULT-VALUE})")
    private int sessions;

    @Option(names = "--seed", paramLabel = "N", description = "of what each session does (default: any)")
    private long seed = System.nanoTime();

    @Option(
            names = "--max-age",
            defaultValue = "12000",
            paramLabel = "MS",
            description = "greatest lag and slack, for eventual (default ${DEFAULT-VALUE})")
    private int maxAge;

    @Option(
            names = "--disturbance",
            defaultValue = "150",
            paramLabel = "MS",
            description = "longest delay of a replica, 0 for none (default ${DEFAULT-VALUE})")
    private int disturbance;

    @Option(
            names = "--fault",
            paramLabel = "NAME",
            description = "no proxy, but a client that splits wrongly: ${COMPLETION-CANDIDATES}")
    private Fault fault;

    @Option(names = "--cache", description = "with the result cache on")
    private boolean cache;

    @Option(
            names = "--hot",
            defaultValue = "75",
            paramLabel = "PERCENT",
            description = "of steps that read what was read before, with the cache (default ${DEFAULT-VALUE})")
    private int hot;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "FAMILIES",
            description = "of tables, by comma: ${COMPLETION-CANDIDATES} (default: all)")
    private Set<Family> only = Set.of();

    @Option(
            names = "--outside",
            defaultValue = "0",
            paramLabel = "PERCENT",
            description = "of writes that go straight to the primary (default ${DEFAULT-VALUE})")
    private int outside;

    @Option(
            names = "--outside-bound",
            defaultValue = "5000",
            paramLabel = "MS",
            description = "after which they are to be seen (default ${DEFAULT-VALUE})")
    private int outsideBound;

    @Option(
            names = "--instances",
            defaultValue = "1",
            paramLabel = "N",
            description = "proxies before the primary, over a Redis where there are several (default ${DEFAULT-VALUE})")
    private int instances;

    @Option(
            names = "--coherence",
            defaultValue = "strict",
            paramLabel = "NAME",
            description = "of several instances: strict or push (default ${DEFAULT-VALUE})")
    private String coherence;

    @Option(
            names = "--slack",
            defaultValue = "0",
            paramLabel = "MS",
            description = "by which every read may be older than promised, for push (default ${DEFAULT-VALUE})")
    private int slack;

    @Option(names = "--calm", description = "several instances, and Redis, are not killed, frozen, cut off or delayed")
    private boolean calm;

    @Option(names = "--direct", description = "no proxy: the primary itself")
    private boolean direct;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ConsistencyRun())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(arguments));
    }

    @Override
    public Integer call() throws InterruptedException {
        boolean clean = true;
        for (Mode mode : modes) {
            clean &= run(mode).isClean();
        }
        return clean ? 0 : 1;
    }

    private Verdict run(Mode mode) throws InterruptedException {
        Arena arena = Arena.fresh();
        Workload workload = Workload.USUAL
                .withHotReads(cache ? hot : 0)
                .only(only)
                .withOutside(outside, Duration.ofMillis(outsideBound))
                .withSlack(Duration.ofMillis(slack));
        ConsistencyChecker checker = ConsistencyChecker.of(mode, Duration.ofSeconds(seconds))
                .withSessions(sessions, seed)
                .with(workload)
                .withAges(Duration.ofMillis(maxAge), Duration.ofMillis(disturbance));
        if (fault != null) {
            return checker.run(arena, Targets.split(fault, arena.primary(), arena.replicas()), this::isEnough);
        }
        if (direct) {
            return checker.run(arena, Targets.at(arena.primary()), this::isEnough);
        }
        if (instances > 1) {
            return several(arena, mode, workload, checker);
        }
        try (PgProxy proxy = ConsistencyIT.start(arena, mode, workload, "")) {
            Verdict verdict = checker.run(arena, Targets.at(ConsistencyIT.endpoint(arena, proxy)), this::isEnough);
            if (cache) {
                LOG.info(
                        "the cache: {}, {}",
                        proxy.services().routes().results().counters(),
                        ConsistencyIT.reasons(proxy));
            }
            return verdict;
        }
    }

    private boolean isEnough(Oracle oracle) {
        return oracle.hasJudged(reads, 0);
    }

    private Verdict several(Arena arena, Mode mode, Workload workload, ConsistencyChecker checker)
            throws InterruptedException {
        String settings = ConsistencyIT.configuration(arena, mode, workload) + FleetDisturber.SETTINGS + "coherence = "
                + coherence + "\n";
        AtomicBoolean over = new AtomicBoolean();
        try (Fleet fleet = Fleet.start(instances, arena, settings);
                ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> disturbing = thread.submit(() -> {
                if (!calm) {
                    LOG.info("to the instances: {}", new FleetDisturber(fleet, seed).disturbWhile(() -> !over.get()));
                }
            });
            Verdict verdict;
            try {
                verdict = checker.run(arena, fleet.target(), this::isEnough);
            } finally {
                over.set(true);
            }
            disturbing.get();
            for (FleetMember member : fleet.members()) {
                LOG.info("the cache since the last start: {}", member.console("SHOW CACHE"));
                LOG.info("its reads: {}", member.console("SHOW CACHE MISSES"));
                LOG.info("the instance: {}", member.console("SHOW INSTANCES"));
                member.complaints().forEach(LOG::warn);
            }
            return verdict;
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
