package dev.pgproxy.health.probe;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What one answer of a node_exporter says, gathered line by line. Confined to its thread. Source: the Prometheus text format,
 * {@code node_cpu_seconds_total{cpu="0",mode="idle"} 123.4}, and the collectors cpu, meminfo and filesystem.
 */
final class NodeMetrics {
    /** A name, perhaps labels, a value; a time stamp may follow. */
    private static final Pattern LINE = Pattern.compile("(node_[a-zA-Z0-9_]+)(?:\\{(.*)})?\\s+(\\S+)(?:\\s+\\S+)?\\s*");

    /** What holds no data of its own, or is full by its nature. */
    private static final Pattern NO_DISK =
            Pattern.compile("fstype=\"(?:tmpfs|ramfs|devtmpfs|rootfs|squashfs|iso9660|udf|fuse\\.lxcfs)\"");

    private CpuSeconds cpu = CpuSeconds.NONE;
    private double memoryAvailable = Double.NaN;
    private double memoryTotal = Double.NaN;
    private final Map<String, Double> available = new HashMap<>();
    private final Map<String, Double> sizes = new HashMap<>();
    private final Set<String> readOnly = new HashSet<>();

    void line(String text) {
        if (!text.startsWith("node_")) {
            return;
        }
        Matcher line = LINE.matcher(text);
        if (!line.matches()) {
            return;
        }
        double value;
        try {
            value = Double.parseDouble(line.group(3));
        } catch (NumberFormatException e) {
            return;
        }
        String labels = line.group(2) == null ? "" : line.group(2);
        switch (line.group(1)) {
            case "node_cpu_seconds_total" ->
                cpu = cpu.plus(value, labels.contains("mode=\"idle\"") || labels.contains("mode=\"iowait\""));
            case "node_memory_MemAvailable_bytes" -> memoryAvailable = value;
            case "node_memory_MemTotal_bytes" -> memoryTotal = value;
            case "node_filesystem_avail_bytes" -> available.put(labels, value);
            case "node_filesystem_size_bytes" -> sizes.put(labels, value);
            case "node_filesystem_readonly" -> {
                if (value != 0) {
                    readOnly.add(labels);
                }
            }
            default -> {}
        }
    }

    CpuSeconds cpu() {
        return cpu;
    }

    @Nullable
    Double memory() {
        return share(memoryAvailable, memoryTotal);
    }

    @Nullable
    Double disk() {
        Double most = null;
        for (Map.Entry<String, Double> each : available.entrySet()) {
            String labels = each.getKey();
            Double used = share(each.getValue(), sizes.getOrDefault(labels, Double.NaN));
            if (used != null
                    && !readOnly.contains(labels)
                    && !NO_DISK.matcher(labels).find()) {
                most = most == null ? used : Double.valueOf(Math.max(most, used));
            }
        }
        return most;
    }

    /** What is used of a whole of which so much is available; null if either is not known. */
    static @Nullable Double share(double available, double whole) {
        return whole > 0 && available >= 0 ? Double.valueOf(Math.clamp(1 - available / whole, 0, 1)) : null;
    }
}
