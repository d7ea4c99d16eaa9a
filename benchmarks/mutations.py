"""The mutations of benchmarks/mutants: a rule of the cache, and what breaks it."""

from typing import NamedTuple

MAIN = "pgproxy/src/main/java/dev/pgproxy/"
WATCH = MAIN + "query/WriteWatch.java"
STATE = MAIN + "route/DatabaseState.java"
WRITE = MAIN + "route/OpenWrite.java"
READS = MAIN + "query/CachedReads.java"
KEY = MAIN + "query/ReadKey.java"
RESULTS = MAIN + "results/Results.java"
CACHE = "cache/src/main/java/dev/pgproxy/cache/ResultCache.java"
GRAPH = "routing/src/main/java/dev/pgproxy/routing/catalog/GraphBuilder.java"


class Mutation(NamedTuple):
    """A name, what is changed, (file, text, text instead) and options of benchmarks/consistency."""
    name: str
    words: str
    replacements: list
    options: list = []


def only(*families):
    return ["--only", ",".join(families)]


MUTATIONS = [
    Mutation("no-check-on-hit", "a result is served although its tables were written since", [
        (CACHE, "        if (!stillTrue.test(found)) {", "        if (false) {")]),
    Mutation("no-check-on-store", "a result counts as of its end, whatever was written since its query was sent", [
        (MAIN + "query/Recorder.java", "whole(Objects.requireNonNull(dependency)), asOf, ttl);",
         "whole(Objects.requireNonNull(dependency)), dev.pgproxy.routing.freshness.Monotonic.now(), ttl);")]),
    Mutation("invalidate-before", "tables count as written when the commit is sent, not when it is answered", [
        (STATE, "        clock.doubt(relations);\n", "        clock.written(relations, Monotonic.now());\n"),
        (WRITE, "        state.clock().settle(relations, moment);\n", "")]),
    Mutation("no-doubt", "tables are not in doubt between a commit and its answer", [
        (STATE, "        clock.doubt(relations);\n", ""),
        (WRITE, "        state.clock().settle(relations, moment);\n",
         "        if (moment != 0) {\n            state.clock().written(relations, moment);\n        }\n")]),
    Mutation("unseen-end", "an end that nobody saw (connection lost, client gone) counts as a rollback", [
        (WATCH, "        OpenWrite left = open;\n",
         "        if (open != null) {\n            open.settle(0, false);\n        }\n        OpenWrite left = null;\n")]),
    Mutation("failed-batch", "an error after a COMMIT in the same exchange counts as a rollback", [
        (WATCH, "if (failure != null && quiet && (atomic || alone && isUnreadable(failure))) {",
         "if (failure != null && quiet) {")], only("PLAIN")),
    Mutation("old-flight", "who waits for another's read takes its result, whatever was written since it was sent", [
        (RESULTS, "        return flight != null && flight.isGoodNow() ? flight : null;\n", "        return flight;\n"),
        (RESULTS, "    /** The read of this key that is on its way",
         "    public @Nullable CachedResult<Dependency> brought(long high, long low) {\n"
         "        return cache.brought(high, low);\n    }\n\n    /** The read of this key that is on its way"),
        (CACHE, "result.asOf() <= current.after || !stillTrue.test(result)", "result.asOf() <= current.after"),
        (CACHE, "    /** Removes this very result",
         "    public @Nullable CachedResult<D> brought(long high, long low) {\n"
         "        return generation.entries.getIfPresent(new Key(high, low));\n    }\n\n    /** Removes this very result"),
        (READS, "found = results.get(key.high(), key.low(), now);",
         "found = patience == 0 ? results.get(key.high(), key.low(), now) : results.brought(key.high(), key.low());")],
        only("PLAIN")),
    Mutation("late-replica", "a replica's result is kept that was not known to be fresh when it was asked", [
        (READS, "        if (recorder.isRecording() && !decision.isStrict()) {", "        if (false) {")],
        ["--mode", "eventual"]),
    Mutation("commit-prepared", "COMMIT PREPARED writes nothing", [
        (WATCH, "                    ROLLBACK_PREPARED,\n",
         "                    ROLLBACK_PREPARED,\n                    COMMIT_PREPARED,\n")]),
    Mutation("refresh", "REFRESH writes nothing", [
        (WATCH, "                    LOCK,\n", "                    LOCK,\n                    REFRESH,\n")], only("REFRESHED")),
    Mutation("execute", "EXECUTE among other statements writes nothing", [
        (WATCH, "reading == null || defines || executesUnseen(facts);", "reading == null || defines;")], only("PLAIN")),
    Mutation("cascade", "actions of foreign keys are not followed", [
        (GRAPH, """boolean acts = "cnd".indexOf(key.onDelete()) >= 0 || "cnd".indexOf(key.onUpdate()) >= 0;""",
         "boolean acts = false;")], only("CASCADED")),
    Mutation("triggers", "triggers are not followed", [
        (GRAPH, "            graph.edge(write, node(Act.CALL, trigger.function()));\n", "")], only("TRIGGERED")),
    Mutation("rules", "rules are not followed", [
        (GRAPH, "tree(tree, write, view || row.kind() == DefinitionKind.RULE);", "tree(tree, write, view);")], only("RULED")),
    Mutation("views", "a view does not lead to its tables", [
        (GRAPH, "            if (view || policy) {", "            if (policy) {")], only("PLAIN", "PAIR")),
    Mutation("partitions", "a partition's ancestors and descendants are other tables", [
        (GRAPH, "for (int ancestor : inheritance.ancestors(oid)) {", "for (int ancestor : new int[0]) {"),
        (GRAPH, "for (int child : inheritance.children(oid)) {", "for (int child : new int[0]) {")],
        only("PARTED", "INHERITED")),
    Mutation("bodies", "the bodies of functions are not read", [
        (GRAPH, "if (FunctionRules.isReadable(function) && !function.body().isEmpty()) {", "if (false) {")], only("PLAIN")),
    Mutation("parameters", "the key lacks the values of parameters", [
        (KEY, "        keys.add(buf, from, end - from);\n        return true;\n    }\n\n    private boolean statement",
         "        return true;\n    }\n\n    private boolean statement")]),
    Mutation("search-path", "the key lacks search_path", [
        (KEY, "            if (!without.contains(name)) {", """            if (!without.contains(name) && !name.equals("search_path")) {"""),
        (KEY, "            if (!NOT_OF_THE_ANSWER.contains(entry.getKey())) {",
         """            if (!NOT_OF_THE_ANSWER.contains(entry.getKey()) && !entry.getKey().equals("search_path")) {""")], only("PATHED")),
    Mutation("role", "the key lacks the role", [
        (KEY, "            if (!without.contains(name)) {",
         "            if (!without.contains(name) && !name.equals(Settings.ROLE)) {")], only("OWNED")),
    Mutation("settings", "the key lacks DateStyle", [
        (KEY, "            if (!without.contains(name)) {", """            if (!without.contains(name) && !name.equals("datestyle")) {"""),
        (KEY, "            if (!NOT_OF_THE_ANSWER.contains(entry.getKey())) {",
         """            if (!NOT_OF_THE_ANSWER.contains(entry.getKey()) && !entry.getKey().equals("DateStyle")) {""")], only("DATED")),
    Mutation("definitions", "the key lacks the version of the definitions, and neither their changes are writes nor anything meanwhile", [
        (KEY, "        hash.addLong(definitions);\n", ""),
        (WATCH, "        boolean unknown = reading == null ||",
         "        if (catalog == null) {\n            return;\n        }\n"
         "        boolean unknown = reading == null ||"),
        (WATCH, "        written = reading == null || unknown ? RelationSet.ALL : written.with(reading.writes());\n",
         "        written = defines(facts) ? written : reading == null || unknown ? RelationSet.ALL : written.with(reading.writes());\n")],
        only("REDEFINED")),
    Mutation("silent-feed", "the change feed tells nothing", [
        (MAIN + "route/DatabaseFeed.java", "            state.told(relations);\n", "")],
        [*only("PLAIN"), "--outside", "100", "--outside-bound", "500", "--disturbance", "0"]),
]
