package dev.pgproxy.testing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A scrape in Prometheus' text format 0.0.4, read strictly: whatever a scraper might stumble over is an error. Immutable.
 *
 * @param types of each family
 * @param helps of each family
 * @param samples by name and labels, as {@code name{label=value,…}} with labels sorted
 */
public record Exposition(Map<String, String> types, Map<String, String> helps, Map<String, Double> samples) {
    private static final Pattern HELP = Pattern.compile("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\\S.*)");
    private static final Pattern TYPE =
            Pattern.compile("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)");
    private static final Pattern SAMPLE =
            Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (NaN|[+-]Inf|-?[0-9.]+(?:E-?[0-9]+)?)");
    private static final Pattern LABEL =
            Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\\n]|\\\\[\\\\\"n])*)\"(,|$)");

    private static final Pattern BOUND = Pattern.compile("[{,]le=([^,}]*)");

    public static Exposition read(String text) {
        if (!text.endsWith("\n")) {
            throw new AssertionError("the last line does not end");
        }
        Map<String, String> types = new LinkedHashMap<>();
        Map<String, String> helps = new LinkedHashMap<>();
        Map<String, Double> samples = new LinkedHashMap<>();
        String family = "";
        for (String line : text.substring(0, text.length() - 1).split("\n", -1)) {
            Matcher help = HELP.matcher(line);
            Matcher type = TYPE.matcher(line);
            Matcher sample = SAMPLE.matcher(line);
            if (help.matches()) {
                family = help.group(1);
                once(helps.put(family, help.group(2)), line);
            } else if (type.matches()) {
                if (!type.group(1).equals(family)) {
                    throw new AssertionError("no HELP before " + line);
                }
                once(types.put(family, type.group(2)), line);
            } else if (sample.matches()) {
                String kind = types.getOrDefault(family, "");
                if (!belongs(sample.group(1), family, kind)) {
                    throw new AssertionError("not of " + family + ": " + line);
                }
                String value = sample.group(3).replace("Inf", "Infinity");
                once(samples.put(sample.group(1) + labels(sample.group(2), line), number(value, kind, line)), line);
            } else {
                throw new AssertionError("not in the format: " + line);
            }
        }
        types.forEach((name, kind) -> {
            if (kind.equals("histogram")) {
                checkHistogram(name, samples);
            }
        });
        return new Exposition(types, helps, samples);
    }

    /** Buckets only grow up to the unbounded one, which is the count; and there is a sum. */
    private static void checkHistogram(String name, Map<String, Double> samples) {
        Map<String, TreeMap<Double, Double>> series = new LinkedHashMap<>();
        samples.forEach((sample, value) -> {
            if (sample.startsWith(name + "_bucket{")) {
                Matcher bound = BOUND.matcher(sample);
                if (!bound.find()) {
                    throw new AssertionError("a bucket without a bound: " + sample);
                }
                String labels = sample.substring(sample.indexOf('{')).replaceFirst("(?<=[{,])le=[^,}]*,?", "");
                String others = labels.replace(",}", "}").replace("{}", "");
                double le = Double.parseDouble(bound.group(1).replace("Inf", "Infinity"));
                series.computeIfAbsent(others, each -> new TreeMap<>()).put(le, value);
            }
        });
        series.forEach((labels, buckets) -> {
            double before = 0;
            for (double count : buckets.values()) {
                if (count < before) {
                    throw new AssertionError("buckets of " + name + labels + " do not grow: " + buckets);
                }
                before = count;
            }
            boolean isWhole = buckets.lastKey().isInfinite()
                    && buckets.lastEntry().getValue().equals(samples.get(name + "_count" + labels))
                    && samples.containsKey(name + "_sum" + labels);
            if (!isWhole) {
                throw new AssertionError("no whole histogram: " + name + labels + " " + buckets);
            }
        });
    }

    private static void once(@Nullable Object before, String line) {
        if (before != null) {
            throw new AssertionError("twice: " + line);
        }
    }

    private static boolean belongs(String name, String family, String kind) {
        return switch (kind) {
            case "summary" -> Set.of(family, family + "_sum", family + "_count").contains(name);
            case "histogram" ->
                Set.of(family + "_bucket", family + "_sum", family + "_count").contains(name);
            case "counter" -> name.equals(family) && name.endsWith("_total");
            default -> name.equals(family) && !name.endsWith("_total");
        };
    }

    private static double number(String text, String kind, String line) {
        double value = Double.parseDouble(text);
        if (kind.equals("counter") && !(value >= 0)) {
            throw new AssertionError("a counter below 0: " + line);
        }
        return value;
    }

    private static String labels(@Nullable String text, String line) {
        Map<String, String> labels = new TreeMap<>();
        String rest = text == null ? "" : text;
        while (!rest.isEmpty()) {
            Matcher label = LABEL.matcher(rest);
            if (!label.lookingAt()) {
                throw new AssertionError("labels not in the format: " + line);
            }
            once(labels.put(label.group(1), label.group(2)), line);
            rest = rest.substring(label.end());
        }
        return labels.isEmpty() ? "" : labels.toString().replace(", ", ",");
    }

    /** A sample by name and sorted labels; an error if there is none. */
    public double of(String series) {
        Double value = samples.get(series);
        if (value == null) {
            throw new AssertionError("no " + series + " in " + samples.keySet());
        }
        return value;
    }
}
