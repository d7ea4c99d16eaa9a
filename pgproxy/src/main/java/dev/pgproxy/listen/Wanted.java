package dev.pgproxy.listen;

import java.util.Set;

/**
 * What a session wants to hear. Immutable.
 *
 * @param channels on which it listens, committed
 * @param tentative on which it will listen once its transaction commits: of these it hears what it says itself
 * @param holding process id of the server it holds and notifies through: those notifications are its own; 0 = none
 */
public record Wanted(Set<String> channels, Set<String> tentative, int holding) {
    /** Nothing. */
    public static final Wanted NOTHING = new Wanted(Set.of(), Set.of(), 0);

    boolean isNothing() {
        return channels.isEmpty() && tentative.isEmpty();
    }

    boolean hears(Notification notification) {
        return channels.contains(notification.channel())
                || notification.processId() == holding && tentative.contains(notification.channel());
    }
}
