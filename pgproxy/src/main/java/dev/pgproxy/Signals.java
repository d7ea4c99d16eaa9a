package dev.pgproxy;

import dev.pgproxy.console.ShutdownMode;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What signals do, as in PgBouncer: HUP reloads, TERM and INT drain (a second one stops at once), USR1 pauses, USR2
 * resumes. QUIT stays the JVM's: it prints the stacks of all threads. Stateless.
 */
final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /** From now on signals act on this proxy; those that come while it starts, once it has started. */
    static void obey(CompletionStage<PgProxy> started) {
        on("HUP", started, PgProxy::reload);
        on("TERM", started, proxy -> stop(proxy, ShutdownMode.WAIT_FOR_CLIENTS));
        on("INT", started, proxy -> stop(proxy, ShutdownMode.WAIT_FOR_SERVERS));
        on("USR1", started, proxy -> proxy.pools().pause(null));
        on("USR2", started, Signals::resume);
    }

    /** What is paused for its end stays so. */
    private static void resume(PgProxy proxy) {
        if (!proxy.isStopping()) {
            proxy.pools().resume(null);
        }
    }

    private static void stop(PgProxy proxy, ShutdownMode mode) {
        proxy.shutdown(proxy.isStopping() ? ShutdownMode.IMMEDIATE : mode);
    }

    /** Through reflection: javac warns of sun.misc without a way to say that it is meant, and warnings are errors. */
    private static void on(String name, CompletionStage<PgProxy> started, Consumer<PgProxy> action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Method handle = signal.getMethod("handle", signal, handler);
            Object taker = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            LOG.info("got SIG{}", name);
                            started.thenAccept(action);
                        }
                        return null;
                    });
            handle.invoke(null, signal.getConstructor(String.class).newInstance(name), taker);
        } catch (ReflectiveOperationException | RuntimeException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            LOG.warn("SIG{} does nothing: {}", name, cause.getMessage());
        }
    }
}
