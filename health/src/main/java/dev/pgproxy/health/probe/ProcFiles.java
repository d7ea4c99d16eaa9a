package dev.pgproxy.health.probe;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How busy a machine is that runs Linux, from texts of its files. Confined to its thread. Source: proc_stat(5), proc_meminfo(5). */
final class ProcFiles {
    private static final Pattern CPU = Pattern.compile("(?m)^cpu +(\\d[\\d ]*)$");
    private static final Pattern TOTAL = Pattern.compile("(?m)^MemTotal: +(\\d+) kB$");
    private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable: +(\\d+) kB$");

    /** user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two again. */
    private static final int COUNTED = 8;

    private static final int IDLE = 3;
    private static final int IOWAIT = 4;

    private @Nullable CpuSeconds before;

    /** What is in use; CPUs since the last call. Null for a file that is not there. */
    MachineLoad load(@Nullable String stat, @Nullable String meminfo) {
        CpuSeconds now = stat == null ? null : cpu(stat);
        double used = before == null || now == null ? -1 : now.usedSince(before);
        before = now;
        return new MachineLoad(used < 0 ? null : used, meminfo == null ? null : memory(meminfo), null);
    }

    private static @Nullable CpuSeconds cpu(String stat) {
        Matcher line = CPU.matcher(stat);
        if (!line.find()) {
            return null;
        }
        String[] ticks = line.group(1).strip().split(" +", -1);
        CpuSeconds seconds = CpuSeconds.NONE;
        for (int i = 0; i < Math.min(COUNTED, ticks.length); i++) {
            seconds = seconds.plus(Double.parseDouble(ticks[i]), i == IDLE || i == IOWAIT);
        }
        return seconds;
    }

    private static @Nullable Double memory(String meminfo) {
        Matcher total = TOTAL.matcher(meminfo);
        Matcher available = AVAILABLE.matcher(meminfo);
        return total.find() && available.find()
                ? NodeMetrics.share(Double.parseDouble(available.group(1)), Double.parseDouble(total.group(1)))
                : null;
    }
}
