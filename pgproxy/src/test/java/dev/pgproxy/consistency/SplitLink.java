package dev.pgproxy.consistency;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Sends reads to replicas in the client, wrongly, so that the checker is known to see it. Links: the primary first, then
 * the replicas. Confined to its session.
 */
final class SplitLink implements Link {
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Fault fault;
    private final List<Link> links;
    private final SplittableRandom random;
    private final int home;
    private long lastWrite = System.nanoTime() - FRESH_NANOS;
    private boolean inTransaction;
    private boolean scattered;
    private volatile int current;

    SplitLink(Fault fault, int session, List<Link> links) {
        this.fault = fault;
        this.links = links;
        this.random = new SplittableRandom(session);
        this.home = 1 + session % (links.size() - 1);
    }

    @Override
    public Answer run(Style style, List<Sql> statements) {
        String first = statements.getFirst().template();
        if (first.startsWith("BEGIN") || first.startsWith("START")) {
            boolean isReadOnly = first.contains("READ ONLY") && !first.contains("SERIALIZABLE");
            inTransaction = true;
            scattered = fault == Fault.SCATTERED_SNAPSHOT && isReadOnly;
            current = isReadOnly && !scattered ? forRead() : 0;
        } else if (!inTransaction) {
            boolean isRead = statements.stream().allMatch(SplitLink::isRead);
            current = isRead ? forRead() : 0;
            lastWrite = isRead ? lastWrite : System.nanoTime();
        }
        String last = statements.getLast().template();
        boolean isEnd = last.equals("COMMIT") || last.equals("ROLLBACK");
        inTransaction &= !isEnd;
        lastWrite = inTransaction || isEnd && current == 0 ? System.nanoTime() : lastWrite;
        if (scattered) {
            scattered = !isEnd;
            if (!first.startsWith("BEGIN") && !isEnd) {
                current = 1 + random.nextInt(links.size() - 1);
                return links.get(current).run(style, statements);
            }
            return new Answer(List.of(new Result(List.of(), 0)), "", "", false);
        }
        List<Sql> sent = new ArrayList<>(statements);
        if (fault == Fault.ROLLBACK_COMMITS && first.equals("ROLLBACK")) {
            sent.set(0, Sql.plain("COMMIT"));
        } else if (fault == Fault.COMMIT_ROLLS_BACK && first.equals("COMMIT")) {
            sent.set(0, Sql.plain("ROLLBACK"));
        }
        return links.get(current).run(style, sent);
    }

    private int forRead() {
        int any = 1 + random.nextInt(links.size() - 1);
        return switch (fault) {
            case NONE, SCATTERED_SNAPSHOT, ROLLBACK_COMMITS, COMMIT_ROLLS_BACK -> 0;
            case NO_CHECK -> any;
            case OWN_WRITES_FOR_50_MS -> System.nanoTime() - lastWrite < FRESH_NANOS ? 0 : any;
            case STICKY_REPLICA -> home;
        };
    }

    private static boolean isRead(Sql sql) {
        return Family.isRead(sql.template());
    }

    @Override
    public void cancel() {
        links.get(current).cancel();
    }

    @Override
    public String host() {
        return current == 0 ? "the primary" : "replica " + current;
    }

    @Override
    public void close() {
        links.forEach(Link::close);
    }
}
