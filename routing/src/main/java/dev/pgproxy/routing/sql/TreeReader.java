package dev.pgproxy.routing.sql;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.sf.jsqlparser.parser.CCJSqlParser;
import net.sf.jsqlparser.parser.CCJSqlParserConstants;
import net.sf.jsqlparser.parser.CCJSqlParserTreeConstants;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import net.sf.jsqlparser.parser.Node;
import net.sf.jsqlparser.parser.ParseException;
import net.sf.jsqlparser.parser.TokenMgrException;
import net.sf.jsqlparser.statement.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Runs JSqlParser on threads of its own, whose stacks are deep enough for what {@link Tokens#MAX_DEPTH} allows, and
 * stops it when it takes too long: its flag {@code interrupted} ends its look-ahead, where it can be exponential.
 * Thread-safe.
 */
final class TreeReader {
    private static final long STACK_BYTES = 16 << 20;
    /** What was given up may go on for a while; so many texts can do so at a time. */
    private static final int MOST_THREADS = 16;

    private static final ExecutorService THREADS = threads();

    private final long timeoutMillis;

    TreeReader(long timeoutMillis) {
        this.timeoutMillis = timeoutMillis;
    }

    /**
     * What JSqlParser made of a text. Immutable.
     *
     * @param statement the only statement
     * @param tableOffsets where in the text a name of a table begins
     */
    record Tree(Statement statement, int[] tableOffsets) {}

    /** The tree of a text of one statement; null if JSqlParser cannot read it, or not in time. */
    @Nullable
    Tree read(String text) {
        CCJSqlParser parser = CCJSqlParserUtil.newParser(text);
        Future<@Nullable Tree> reading;
        try {
            reading = THREADS.submit(() -> parse(parser));
        } catch (RejectedExecutionException e) {
            return null; // they are all busy with what has been given up
        }
        try {
            return reading.get(timeoutMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            parser.interrupted = true;
            return null;
        } catch (InterruptedException e) {
            parser.interrupted = true;
            Thread.currentThread().interrupt();
            return null;
        } catch (ExecutionException e) {
            return null; // a defect of JSqlParser in reading this text
        }
    }

    private static @Nullable Tree parse(CCJSqlParser parser) {
        try {
            Statement statement = parser.Statement();
            boolean whole = parser.getToken(1).kind == CCJSqlParserConstants.EOF;
            return whole && statement != null ? new Tree(statement, tableOffsets(parser.getASTRoot())) : null;
        } catch (ParseException | TokenMgrException | StackOverflowError e) {
            return null;
        }
    }

    private static int[] tableOffsets(Node root) {
        int[] offsets = new int[8];
        int count = 0;
        Deque<Node> pending = new ArrayDeque<>();
        pending.push(root);
        while (!pending.isEmpty()) {
            Node node = pending.pop();
            if (node.getId() == CCJSqlParserTreeConstants.JJTTABLENAME) {
                if (count == offsets.length) {
                    offsets = Arrays.copyOf(offsets, 2 * count);
                }
                offsets[count++] = node.jjtGetFirstToken().absoluteBegin - 1;
            }
            for (int i = 0; i < node.jjtGetNumChildren(); i++) {
                pending.push(node.jjtGetChild(i));
            }
        }
        return Arrays.copyOf(offsets, count);
    }

    private static ExecutorService threads() {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                0, MOST_THREADS, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), TreeReader::thread);
        return threads;
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, "shape-reader", STACK_BYTES);
        thread.setDaemon(true);
        return thread;
    }
}
