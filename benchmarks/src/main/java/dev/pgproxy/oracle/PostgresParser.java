package dev.pgproxy.oracle;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.dylibso.chicory.compiler.InterpreterFallback;
import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionImport;
import com.dylibso.chicory.wasm.types.FunctionType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * PostgreSQL's parser: libpg-query 18.1.5 of npm, whose WebAssembly runs in Chicory. Its imports and exports have one
 * letter each, given by Emscripten when that version was built (libpg-query.js, wasmImports and assignWasmExports), so
 * no other version will do. Confined to its thread; holds 128 MB.
 */
final class PostgresParser {
    private static final String MALLOC = "C";
    private static final String FREE = "E";
    private static final String PARSE = "F";
    private static final String FREE_RESULT = "G";
    private static final String SET_THREW = "P";
    private static final String STACK_RESTORE = "Q";
    private static final String STACK_SAVE = "R";
    private static final String INITIALISE = "A";

    /** Imports that call a function of the table and survive a longjmp out of it. */
    private static final Set<String> INVOKES = Set.of("g", "b", "a", "d", "k", "l", "e", "f", "h", "j", "i", "y", "n");

    private static final Map<String, String> ABORTS = Map.of("c", "assertion", "x", "abort", "m", "exit", "v", "exit");
    private static final String LONGJMP = "p";
    private static final String RESIZE_HEAP = "q";
    private static final String FD_WRITE = "t";

    private final Instance instance;

    /** A longjmp on its way to the import that called the function of its setjmp. */
    private static final class LongJump extends RuntimeException {
        LongJump() {
            super(null, null, false, false);
        }
    }

    /** What PostgreSQL says of a text: its tree as JSON, or its error message. Immutable. */
    record Parsed(String tree, String error) {
        boolean isValid() {
            return error.isEmpty();
        }
    }

    /**
     * Loads the module.
     *
     * @param module the file libpg-query.wasm
     */
    PostgresParser(Path module) {
        WasmModule parsed = Parser.parse(module);
        ImportFunction[] imports = parsed.importSection().stream()
                .map(FunctionImport.class::cast)
                .map(wanted -> {
                    FunctionType type = parsed.typeSection().getType(wanted.typeIndex());
                    return new HostFunction(
                            wanted.module(),
                            wanted.name(),
                            type,
                            (caller, arguments) ->
                                    answer(wanted.name(), !type.returns().isEmpty(), caller, arguments));
                })
                .toArray(ImportFunction[]::new);
        instance = Instance.builder(parsed)
                .withImportValues(ImportValues.builder().addFunction(imports).build())
                .withMachineFactory(MachineFactoryCompiler.builder(parsed)
                        .withInterpreterFallback(InterpreterFallback.SILENT)
                        .compile())
                .build();
        instance.export(INITIALISE).apply();
    }

    /** Parses a text without NUL. */
    Parsed parse(String sql) {
        byte[] bytes = sql.getBytes(UTF_8);
        int text = call(MALLOC, bytes.length + 1);
        Memory memory = instance.memory();
        memory.write(text, bytes);
        memory.writeByte(text + bytes.length, (byte) 0);
        int result = call(PARSE, text);
        try {
            // PgQueryParseResult: the tree, stderr, the error; PgQueryError begins with its message
            int error = memory.readInt(result + 8);
            return error == 0
                    ? new Parsed(memory.readCString(memory.readInt(result), UTF_8), "")
                    : new Parsed("", memory.readCString(memory.readInt(error), UTF_8));
        } finally {
            call(FREE_RESULT, result);
            call(FREE, text);
        }
    }

    private int call(String name, long... arguments) {
        long[] result = instance.export(name).apply(arguments);
        return result == null || result.length == 0 ? 0 : (int) result[0];
    }

    private static long[] answer(String name, boolean hasResult, Instance caller, long[] arguments) {
        if (INVOKES.contains(name)) {
            return invoke(hasResult, caller, arguments);
        }
        if (name.equals(LONGJMP)) {
            throw new LongJump();
        }
        if (ABORTS.containsKey(name)) {
            throw new IllegalStateException("libpg_query ended: " + ABORTS.get(name));
        }
        long result = switch (name) {
            case RESIZE_HEAP -> resize(caller.memory(), arguments[0]);
            case FD_WRITE -> swallow(caller.memory(), arguments);
            default -> 0;
        };
        return hasResult ? new long[] {result} : new long[0];
    }

    private static long[] invoke(boolean hasResult, Instance caller, long[] arguments) {
        long[] stack = caller.export(STACK_SAVE).apply();
        try {
            int function = caller.table(0).requiredRef((int) arguments[0]);
            long[] result = caller.getMachine().call(function, Arrays.copyOfRange(arguments, 1, arguments.length));
            return Optional.ofNullable(result).orElseGet(() -> new long[0]);
        } catch (LongJump e) {
            caller.export(STACK_RESTORE).apply(stack);
            caller.export(SET_THREW).apply(1, 0);
            return new long[hasResult ? 1 : 0];
        }
    }

    private static long resize(Memory memory, long wantedBytes) {
        int pages = (int) (((wantedBytes & 0xFFFFFFFFL) + Memory.PAGE_SIZE - 1) / Memory.PAGE_SIZE);
        return pages <= memory.pages() || memory.grow(pages - memory.pages()) >= 0 ? 1 : 0;
    }

    /** fd_write: all of it is taken, none of it kept. */
    private static long swallow(Memory memory, long[] arguments) {
        int vectors = (int) arguments[1];
        int total = 0;
        for (int i = 0; i < arguments[2]; i++) {
            total += memory.readInt(vectors + i * 8 + 4);
        }
        memory.writeI32((int) arguments[3], total);
        return 0;
    }
}
