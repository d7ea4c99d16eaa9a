package dev.pgproxy.routing.catalog;

import org.jspecify.annotations.Nullable;

/**
 * Whether a result may be kept, as far as definitions decide it. The key of what is kept has to name the database, the
 * roles and all parameters of the session: what depends on those alone is no hindrance. Immutable.
 *
 * @param hindrance why not; null if it may be kept
 * @param culprit the name behind the hindrance, for people; null if there is none
 * @param dependsOnSettings whether it may look at a parameter of the users' own ({@code app.tenant}) by its name
 */
public record CacheFacts(
        @Nullable CacheHindrance hindrance, @Nullable String culprit, boolean dependsOnSettings) {
    /** Nothing speaks against it. */
    static final CacheFacts FREE = new CacheFacts(null, null, false);

    static CacheFacts hindered(CacheHindrance hindrance, @Nullable String culprit) {
        return new CacheFacts(hindrance, culprit, false);
    }

    /** Whether it says no more than {@link #FREE}. */
    boolean isFree() {
        return hindrance == null && !dependsOnSettings;
    }

    /** Both; the first hindrance stays. One of the two themselves where it says all that the other does. */
    CacheFacts with(CacheFacts other) {
        boolean first = hindrance != null || other.hindrance == null;
        if (first && (dependsOnSettings || !other.dependsOnSettings)) {
            return this;
        }
        boolean depends = dependsOnSettings || other.dependsOnSettings;
        if (!first && depends == other.dependsOnSettings) {
            return other;
        }
        return new CacheFacts(first ? hindrance : other.hindrance, first ? culprit : other.culprit, depends);
    }
}
