package dev.pgproxy.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Gathers what is wrong, so that all of it can be told at once. Confined to the thread that loads. */
final class Complaints {
    private record Complaint(Place place, String message) {}

    private final List<Complaint> complaints = new ArrayList<>();

    /** What was written may be part of the message; a line of it stays one line. */
    void add(Place place, String message) {
        complaints.add(new Complaint(place, message.replaceAll("\\p{Cntrl}", " ")));
    }

    /** How many there are. */
    int size() {
        return complaints.size();
    }

    /** Ends the loading if anything is wrong. */
    void check() throws ConfigProblems {
        if (!complaints.isEmpty()) {
            throw new ConfigProblems(complaints.stream()
                    .sorted(Comparator.comparing(Complaint::place))
                    .map(c -> c.place() + ": " + c.message())
                    .distinct()
                    .toList());
        }
    }
}
