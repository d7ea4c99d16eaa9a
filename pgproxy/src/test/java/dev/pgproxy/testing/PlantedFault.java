package dev.pgproxy.testing;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.named;

import java.io.IOException;
import java.util.List;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.MethodCall;
import net.bytebuddy.pool.TypePool;

/**
 * One fault in the byte code of one class of ours: what a checker has to catch before it may be believed. The class is
 * defined anew in a class loader of its own, where a proxy is started; nothing else of this JVM is touched. Immutable.
 */
public record PlantedFault(String type, byte[] code) {
    private static final ClassFileLocator CLASSES =
            ClassFileLocator.ForClassLoader.of(PlantedFault.class.getClassLoader());

    /** A method that always answers the same. */
    public static PlantedFault answering(String type, String method, boolean answer) {
        return of(type, redefined(type).method(named(method)).intercept(FixedValue.value(answer)));
    }

    /** A method that always answers with an empty list. */
    public static PlantedFault empty(String type, String method) {
        try {
            return of(
                    type,
                    redefined(type).method(named(method)).intercept(MethodCall.invoke(List.class.getMethod("of"))));
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    /** A record whose first component, a String, is always empty. */
    public static PlantedFault withoutFirst(String type) {
        return of(type, redefined(type).visit(Advice.to(Emptied.class).on(isConstructor())));
    }

    private static DynamicType.Builder<?> redefined(String type) {
        TypeDescription described = TypePool.Default.of(CLASSES).describe(type).resolve();
        return new ByteBuddy().redefine(described, CLASSES);
    }

    private static PlantedFault of(String type, DynamicType.Builder<?> builder) {
        try (DynamicType.Unloaded<?> made = builder.make()) {
            return new PlantedFault(type, made.getBytes());
        }
    }

    /** Runs in front of a constructor. */
    private static final class Emptied {
        private Emptied() {}

        @Advice.OnMethodEnter
        @SuppressWarnings("UnusedVariable") // the assignment is what is woven in
        static void enter(@Advice.Argument(value = 0, readOnly = false) String first) {
            first = "";
        }
    }

    /** A proxy with the fault, before the {@link TestCluster}, and what closes it. */
    public Faulty start(String settings) {
        try {
            ClassLoader loader = new Loader(this);
            Object config = loader.loadClass("dev.pgproxy.config.ConfigLoader")
                    .getMethod("parse", String.class)
                    .invoke(null, ProxyUnderTest.settings(settings));
            Class<?> program = loader.loadClass("dev.pgproxy.PgProxy");
            Object proxy = program.getMethod("start", config.getClass()).invoke(null, config);
            int port = (int) program.getMethod("port").invoke(proxy);
            return new Faulty((AutoCloseable) proxy, port);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(String.valueOf(e.getMessage()), e);
        }
    }

    /** A running proxy with a fault. */
    public record Faulty(AutoCloseable proxy, int port) implements AutoCloseable {
        @Override
        public void close() throws Exception {
            proxy.close();
        }
    }

    /** Defines our classes anew, one of them with the fault; everything else is its parent's. */
    private static final class Loader extends ClassLoader {
        private static final String OURS = "dev.pgproxy.";
        private final PlantedFault fault;

        Loader(PlantedFault fault) {
            super(PlantedFault.class.getClassLoader());
            this.fault = fault;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(OURS)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? define(name) : loaded;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try {
                byte[] code = name.equals(fault.type)
                        ? fault.code
                        : CLASSES.locate(name).resolve();
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
