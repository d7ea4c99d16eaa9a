package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.NPlusOne;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.Repetition;
import dev.pgproxy.insight.Repetition.What;
import dev.pgproxy.insight.Repetitions;
import dev.pgproxy.insight.Statement;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * SHOW NPLUSONE and SHOW REPETITIONS. Texts are parsed on a thread that may take its time. Thread-safe.
 *
 * @param repetitions null if nothing is counted
 */
record NPlusOneTables(@Nullable Repetitions repetitions) {
    private static final long MICRO = 1000;

    /** What is N+1, what loses the most time first. */
    CompletionStage<ConsoleAnswer> nPlusOnes(long limit) {
        Repetitions of = repetitions;
        return of == null
                ? CompletableFuture.completedFuture(QueryTables.off())
                : CompletableFuture.supplyAsync(() -> nPlusOnes(of, limit));
    }

    private static ConsoleAnswer nPlusOnes(Repetitions of, long limit) {
        Table table = Table.of("fingerprint database user application_name occurrences:int8 executions:int8"
                + " per_occurrence:numeric total_us:int8 lost_us:int8 tags query parent parent_fingerprint parent_by"
                + " batched joined first_seen last_seen");
        of.nPlusOnes().stream().limit(limit).forEach(each -> row(table, each));
        return table.answer();
    }

    private static void row(Table table, NPlusOne each) {
        Statement parent = each.parent();
        table.row(
                each.child().fingerprint(),
                Printable.of(each.caller().database()),
                Printable.of(each.caller().user()),
                Printable.of(each.caller().application()),
                each.occurrences(),
                each.executions(),
                String.format(Locale.ROOT, "%.1f", each.perOccurrence()),
                each.nanos() / MICRO,
                each.lost() / MICRO,
                each.tags(),
                Printable.of(each.child().text()),
                parent == null ? null : Printable.of(parent.text()),
                parent == null ? null : parent.fingerprint(),
                each.parentBy(),
                printable(each.batched()),
                printable(each.joined()),
                SocketTables.TIME.format(each.firstSeen()),
                SocketTables.TIME.format(each.lastSeen()));
    }

    private static @Nullable String printable(@Nullable String text) {
        return text == null ? null : Printable.of(text);
    }

    /** How much of what kind is repeated; no rows if nothing is counted. */
    CompletionStage<ConsoleAnswer> summary() {
        return CompletableFuture.supplyAsync(() -> {
            Table table = Table.of("kind findings:int8 occurrences:int8 executions:int8 time_us:int8");
            Repetitions of = repetitions;
            if (of != null) {
                List<NPlusOne> found = of.nPlusOnes();
                table.row(
                        "n_plus_one",
                        found.size(),
                        found.stream().mapToLong(NPlusOne::occurrences).sum(),
                        found.stream().mapToLong(NPlusOne::executions).sum(),
                        found.stream().mapToLong(NPlusOne::nanos).sum() / MICRO);
                List<Repetition> others = of.others();
                for (What what : What.values()) {
                    List<Repetition> same =
                            others.stream().filter(each -> each.what() == what).toList();
                    table.row(
                            what.name().toLowerCase(Locale.ROOT),
                            same.size(),
                            same.stream().mapToLong(Repetition::occurrences).sum(),
                            same.stream()
                                    .mapToLong(each -> each.inBlocks() + each.outside())
                                    .sum(),
                            same.stream().mapToLong(Repetition::nanos).sum() / MICRO);
                }
            }
            return table.answer();
        });
    }
}
