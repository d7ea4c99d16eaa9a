package dev.pgproxy.health.probe;

import org.jspecify.annotations.Nullable;

/**
 * How much of the machine of a host is in use, each as a share from 0 to 1; null = not known. Immutable.
 *
 * @param cpu of the time of all CPUs since the question before
 * @param memory that programs cannot get
 * @param disk of the file system that has the smallest share left
 */
public record MachineLoad(
        @Nullable Double cpu,
        @Nullable Double memory,
        @Nullable Double disk) {
    /** Nothing is known. */
    public static final MachineLoad UNKNOWN = new MachineLoad(null, null, null);
}
