package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Rows;
import dev.pgproxy.workload.CleanWorkloads;
import dev.pgproxy.workload.NPlusOneWorkloads;
import dev.pgproxy.workload.Shop;
import dev.pgproxy.workload.Workload;
import dev.pgproxy.workload.Workload.Expected;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What SHOW NPLUSONE says of applications of which it is known what of them is N+1. */
final class NPlusOneIT {
    /** How often each application does what it does. */
    private static final int TIMES = 2;

    private static final double LEAST = 0.95;

    /** What was reported, against what should have been. */
    private record Score(int right, int wrong, int missing, int parents, List<String> errors) {
        double precision() {
            return right + wrong == 0 ? 0 : (double) right / (right + wrong);
        }

        double recall() {
            return right + missing == 0 ? 0 : (double) right / (right + missing);
        }

        /** Of those that were found, the share whose parent is the right one. */
        double parentsRight() {
            return right == 0 ? 0 : (double) parents / right;
        }

        @Override
        public String toString() {
            return String.format(
                    "precision %.3f, recall %.3f, parents %.3f (%d right, %d wrong, %d missing)%s",
                    precision(),
                    recall(),
                    parentsRight(),
                    right,
                    wrong,
                    missing,
                    errors.isEmpty() ? "" : "\n  " + String.join("\n  ", errors));
        }
    }

    private static List<Workload> workloads() {
        return Stream.concat(NPlusOneWorkloads.all().stream(), CleanWorkloads.all().stream())
                .toList();
    }

    /** Reports of a workload are those of its application. */
    private static Score score(Function<Workload, List<Rows.Row>> reports) {
        int right = 0;
        int wrong = 0;
        int missing = 0;
        int parents = 0;
        List<String> errors = new ArrayList<>();
        for (Workload workload : workloads()) {
            List<Rows.Row> left = new ArrayList<>(reports.apply(workload));
            for (Expected expected : workload.expected()) {
                Rows.Row found = left.stream()
                        .filter(row -> row.get("query").contains(expected.child()))
                        .findFirst()
                        .orElse(null);
                if (found == null) {
                    missing++;
                    errors.add("missing in " + workload.name() + ": " + expected.child());
                } else {
                    right++;
                    left.remove(found);
                    boolean same = found.values().containsKey("parent")
                            && found.get("parent").contains(expected.parent());
                    parents += same ? 1 : 0;
                    if (!same) {
                        errors.add("parent in " + workload.name() + ": "
                                + found.values().get("parent"));
                    }
                }
            }
            wrong += left.size();
            left.forEach(row -> errors.add("wrong in " + workload.name() + ": " + row.get("query")));
        }
        return new Score(right, wrong, missing, parents, errors);
    }

    private static void run(Endpoint proxied) {
        for (int i = 0; i < TIMES; i++) {
            workloads().forEach(workload -> workload.run(proxied));
        }
    }

    private static List<Rows.Row> shown(Endpoint proxied, String show, Workload of) {
        return Rows.of(proxied.withDatabase("pgproxy"), show).stream()
                .filter(row -> row.get("application_name").equals(of.name()))
                .toList();
    }

    private static Score shown(Endpoint proxied) {
        return score(workload -> shown(proxied, "SHOW NPLUSONE", workload));
    }

    /** What somebody would say who counts calls, and looks at nothing else. */
    private static Score counted(Endpoint proxied) {
        return score(workload -> shown(proxied, "SHOW QUERIES", workload).stream()
                .filter(row -> row.get("query").regionMatches(true, 0, "select", 0, 6) && row.number("calls") >= 5)
                .toList());
    }

    @Test
    void reportsAreThoseThatAreExpectedWhereForeignKeysAreKnown() {
        assertThat(workloads()).hasSizeGreaterThanOrEqualTo(30);
        try (CachingProxy proxy = CachingProxy.start("", Shop.schema());
                RawClient client = proxy.login()) {
            client.query("SELECT 1").readUntilReady();
            run(proxy.routed().proxied());
            Score score = shown(proxy.routed().proxied());
            System.out.println("N+1, definitions known: " + score);
            assertThat(score.precision()).isGreaterThanOrEqualTo(LEAST);
            assertThat(score.recall()).isGreaterThanOrEqualTo(LEAST);
            assertThat(score.parentsRight()).isGreaterThanOrEqualTo(0.9);
        }
    }

    @Test
    void reportsAreThoseThatAreExpectedWhereNoDefinitionsAreKnown() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("");
        try {
            Stream.of(Shop.schema()).forEach(under.direct()::run);
            run(under.proxied());
            Score score = shown(under.proxied());
            System.out.println("N+1, definitions unknown: " + score);
            assertThat(score.precision()).isGreaterThanOrEqualTo(LEAST);
            assertThat(score.recall()).isGreaterThanOrEqualTo(LEAST);

            Score calls = counted(under.proxied());
            System.out.println("N+1 by calls alone: "
                    + String.valueOf(calls).lines().findFirst().orElse(""));
            assertThat(calls.precision()).isLessThan(LEAST);
        } finally {
            under.proxy().close();
        }
    }

    @Test
    void nothingIsReportedBelowTheThreshold() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("n_plus_one_threshold = 1000");
        try {
            Stream.of(Shop.schema()).forEach(under.direct()::run);
            run(under.proxied());
            Score score = shown(under.proxied());
            assertThat(score.recall()).isZero();
            assertThat(score.wrong()).isZero();
        } finally {
            under.proxy().close();
        }
    }
}
