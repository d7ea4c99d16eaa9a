package dev.pgproxy.chaos;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code benchmarks/chaos}: exit code 0 without violations, 1 with, 2 where it cannot run. */
@Command(
        name = "benchmarks/chaos",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Clients write and read while hosts and network fail; then the database is held to what they were told.")
final class ChaosRun implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(ChaosRun.class);

    @Option(
            names = "--rounds",
            defaultValue = "3",
            paramLabel = "N",
            description = "of all faults, in any order (default ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--faults",
            split = ",",
            paramLabel = "FAULTS",
            description = "by comma: ${COMPLETION-CANDIDATES} (default: all that can be)")
    private List<Fault> faults = List.of();

    @Option(
            names = "--sessions",
            defaultValue = "16",
            paramLabel = "N",
            description = "at a time (default ${DEFAULT-VALUE})")
    private int sessions;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "of what strikes whom, and of what each session does (default: any)")
    private long seed = System.nanoTime();

    @Option(names = "--cache", description = "with the result cache on")
    private boolean cache;

    @Option(
            names = "--redis",
            paramLabel = "N",
            defaultValue = "0",
            description = "instances with the cache over one Redis; with more than one nobody is promoted")
    private int redis;

    @Option(names = "--asynchronous", description = "no commit waits for a replica: PostgreSQL loses some")
    private boolean asynchronous;

    @Option(
            names = "--small-wal",
            description = "the first host's WAL is on a file system of its own that gets full; needs Linux and root")
    private boolean smallWal;

    @Override
    public Integer call() throws Exception {
        LOG.info("--seed {}", seed);
        Random order = new Random(seed);
        Layout layout = new Layout(!asynchronous, cache || redis > 0, smallWal, redis);
        List<Fault> possible = Fault.of(layout);
        try (Estate estate = Estate.start(layout)) {
            Chaos chaos = new Chaos(estate, sessions, seed, LOG::info);
            for (int round = 0; round < rounds; round++) {
                List<Fault> shuffled = new ArrayList<>(faults.isEmpty() ? possible : faults);
                shuffled.retainAll(possible);
                Collections.shuffle(shuffled, order);
                for (Fault fault : shuffled) {
                    chaos.strike(fault);
                }
            }
            chaos.judge();
            summarize(chaos.struck());
            chaos.ledger().violations().forEach(LOG::error);
            return chaos.ledger().violations().isEmpty() ? 0 : 1;
        }
    }

    /** For each fault, at the primary and elsewhere. */
    private static void summarize(List<Chaos.Struck> struck) {
        Map<String, List<Chaos.Struck>> kinds = new TreeMap<>();
        struck.forEach(one -> kinds.computeIfAbsent(
                        one.fault()
                                + (one.fault().isRedis() ? "" : one.primary() ? " at the primary" : " at a replica"),
                        kind -> new ArrayList<>())
                .add(one));
        kinds.forEach((kind, all) -> {
            List<Long> millis =
                    all.stream().map(Chaos.Struck::millisWithoutWrites).sorted().toList();
            LOG.info(
                    "{}, {} times: {} ms without a write, {} at most; {} reads and {} writes refused, {} lost",
                    kind,
                    all.size(),
                    millis.get(millis.size() / 2),
                    millis.getLast(),
                    all.stream().mapToLong(Chaos.Struck::refusedReads).sum(),
                    all.stream().mapToLong(Chaos.Struck::refusedWrites).sum(),
                    all.stream().mapToInt(Chaos.Struck::acknowledgedLost).sum());
        });
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ChaosRun())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, command, parsed) -> {
                    LOG.error("chaos: {}", e.getMessage(), e instanceof IllegalStateException ? null : e);
                    return 2;
                })
                .execute(arguments));
    }
}
