package dev.pgproxy.config;

import java.nio.file.Path;
import java.util.function.Function;

/**
 * What the values of a setting look like. Immutable; the kinds are in {@link SettingTypes}.
 *
 * @param expects completes the sentence "expects …" of a complaint and of the documentation
 * @param parser from text; throws IllegalArgumentException, whose message, where there is one, says more
 * @param shower back to text that the parser reads
 * @param form what is special about the values
 */
record SettingType<T>(String expects, Parser<T> parser, Function<T, String> shower, Form form) {
    /** What reading and showing must respect. */
    enum Form {
        /** Nothing special. */
        PLAIN,
        /** May be a HOCON list; its text has commas. */
        LIST,
        /** Never shown. */
        SECRET
    }

    /** Reads a value; file names are taken relative to the directory. */
    interface Parser<T> {
        T parse(String text, Path directory);
    }

    T parse(String text, Path directory) {
        return parser.parse(text, directory);
    }

    String show(T value) {
        return shower.apply(value);
    }

    boolean isList() {
        return form == Form.LIST;
    }

    boolean isSecret() {
        return form == Form.SECRET;
    }
}
