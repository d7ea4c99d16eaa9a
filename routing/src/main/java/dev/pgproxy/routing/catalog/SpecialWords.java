package dev.pgproxy.routing.catalog;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Words of PostgreSQL's grammar, its names of columns and types, that mean something by themselves, without a call.
 * Immutable.
 */
final class SpecialWords {
    /** What each of them means. */
    static final Map<String, Reading> READINGS = readings();

    private SpecialWords() {}

    private static Map<String, Reading> readings() {
        Map<String, Reading> readings = new HashMap<>();
        BodyText.TRANSACTION_TIME.forEach(word -> readings.put(word, Reading.ofTransactionTime(word)));
        readings.put("tablesample", hindered(CacheHindrance.CHANCE, "tablesample"));
        // the offset of a zone, and so the conversion to this type and its AT TIME ZONE, is that of today
        readings.put("timetz", hindered(CacheHindrance.MOMENT, "timetz"));
        readings.put("system_user", hindered(CacheHindrance.SESSION, "system_user"));
        // system columns that row locks of others change
        readings.putAll(Stream.of("xmax", "cmin", "cmax")
                .collect(Collectors.toMap(word -> word, word -> hindered(CacheHindrance.SESSION, word))));
        // which parameter it is, and whether that is a hindrance, is for those to say who see the argument
        readings.put("current_setting", Reading.of(new CacheFacts(null, null, true)));
        return Map.copyOf(readings);
    }

    private static Reading hindered(CacheHindrance hindrance, String word) {
        return Reading.of(CacheFacts.hindered(hindrance, word));
    }
}
