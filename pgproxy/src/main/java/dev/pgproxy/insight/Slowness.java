package dev.pgproxy.insight;

import dev.pgproxy.routing.sql.Shape;

/** Who is told of slow statements as they end. Called on event loops: it must not wait. */
public interface Slowness {
    /** Nobody. */
    Slowness NONE = new Slowness() {
        @Override
        public void slow(SlowStatement statement, Shape shape) {}

        @Override
        public void sample(Sample sample) {}
    };

    /** One call of this shape was slow. */
    void slow(SlowStatement statement, Shape shape);

    /** A text that was sought is about to run. */
    void sample(Sample sample);
}
