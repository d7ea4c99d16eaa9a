package dev.pgproxy.cache;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Every test waits this long for what it awaits, if it does not say otherwise: a machine whose neighbours take its
 * processors for seconds fails none, and one that is quick waits no longer than it must. Found by the platform's launcher.
 */
public final class AwaitLimit implements LauncherSessionListener {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** As the service loader wants it. */
    public AwaitLimit() {}

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        Awaitility.setDefaultTimeout(LIMIT);
    }
}
