package dev.pgproxy.routing.sql;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/** Writes a random query, and knows which relations it reads. */
final class RandomQuery {
    private static final String[] NAMES = {"t1", "t2", "t3", "\"T 4\"", "T5", "value", "u&\"\\0074\\0037\""};
    private static final String[] MEANT = {"t1", "t2", "t3", "T 4", "t5", "value", "t7"};
    private static final String[] JOINS = {"JOIN", "LEFT JOIN", "right outer join", "INNER JOIN", "Full Join"};
    private static final String[] OPERATORS = {"=", "<>", "+", "-", "||", "@>", "->>", "<->", "AND", "or", "LIKE"};

    final Set<Name> relations = new HashSet<>();

    private final Random random;
    private int aliases;

    RandomQuery(Random random) {
        this.random = random;
    }

    String text() {
        return query(3, Set.of());
    }

    private boolean one(int in) {
        return random.nextInt(in) == 0;
    }

    private String pick(String... of) {
        return of[random.nextInt(of.length)];
    }

    private String space() {
        return one(8) ? pick("\n", " /* FROM x, y */ ", " -- , z\n", "\t") : " ";
    }

    /** A query, within common table expressions of these names. */
    private String query(int depth, Set<String> scope) {
        Set<String> visible = new HashSet<>(scope);
        StringBuilder out = new StringBuilder();
        if (depth > 0 && one(4)) {
            boolean recursive = one(3);
            out.append(recursive ? "WITH RECURSIVE " : "WITH ");
            int name = random.nextInt(NAMES.length);
            Set<String> inside = new HashSet<>(visible);
            visible.add(MEANT[name]);
            String body = query(depth - 1, recursive ? visible : inside);
            out.append(NAMES[name]).append(one(3) ? " (k, l) AS (" : one(3) ? " AS MATERIALIZED (" : " AS (");
            out.append(body).append(")").append(space());
        }
        out.append(select(depth, visible));
        while (one(6)) {
            out.append(space()).append(pick("UNION ALL", "EXCEPT", "Intersect")).append(space());
            out.append(one(4) ? "TABLE " + relation(visible) : select(depth - 1, visible));
        }
        if (one(4)) {
            out.append(" ORDER BY 1")
                    .append(one(2) ? " DESC NULLS LAST, k" : "")
                    .append(one(2) ? " LIMIT 3" : "");
        }
        return out.toString();
    }

    private String select(int depth, Set<String> scope) {
        StringBuilder out = new StringBuilder(pick("SELECT", "select", "SELECT DISTINCT")).append(space());
        out.append(expression(depth, scope));
        while (one(2)) {
            out.append(",").append(space()).append(expression(depth, scope)).append(one(3) ? " AS l" : "");
        }
        if (!one(8)) {
            out.append(space()).append("FROM").append(space()).append(item(depth, scope));
            while (one(2)) {
                out.append(",").append(space()).append(item(depth, scope));
            }
        }
        if (one(2)) {
            out.append(space()).append("WHERE ").append(expression(depth, scope));
        }
        if (one(5)) {
            out.append(" GROUP BY k, l HAVING ").append(expression(depth, scope));
        }
        return out.toString();
    }

    private String relation(Set<String> scope) {
        int name = random.nextInt(NAMES.length);
        if (one(4)) {
            relations.add(new Name("s", MEANT[name]));
            return pick("s.", "S . ", "\"s\".") + NAMES[name];
        }
        if (!scope.contains(MEANT[name])) {
            relations.add(new Name(null, MEANT[name]));
        }
        return NAMES[name];
    }

    private String alias() {
        return pick(" ", " AS ") + "x" + aliases++;
    }

    private String item(int depth, Set<String> scope) {
        if (depth > 0) {
            switch (random.nextInt(8)) {
                case 0 -> {
                    return "(" + query(depth - 1, scope) + ")" + alias();
                }
                case 1 -> {
                    return "LATERAL (" + query(depth - 1, scope) + ")" + alias() + " (k, l)";
                }
                case 2 -> {
                    return "(" + join(depth, scope) + ")" + (one(2) ? alias() : "");
                }
                case 3, 4 -> {
                    return join(depth, scope);
                }
                case 5 -> {
                    return pick("f(", "LATERAL s.f(") + expression(depth - 1, scope) + ")" + alias() + " (k, l)";
                }
                default -> {}
            }
        }
        String only = one(10) ? "ONLY " : "";
        String star = only.isEmpty() && one(10) ? " *" : "";
        return only + relation(scope) + star + (one(2) ? alias() : "");
    }

    private String join(int depth, Set<String> scope) {
        String left = item(depth - 1, scope);
        if (one(5)) {
            return left + pick(" CROSS JOIN ", " NATURAL JOIN ") + item(0, scope);
        }
        String condition = one(3) ? " USING (k, l)" : " ON " + expression(depth - 1, scope);
        return left + space() + pick(JOINS) + space() + item(0, scope) + condition;
    }

    private String expression(int depth, Set<String> scope) {
        if (depth <= 0) {
            return pick("k", "x1.l", "'a FROM b'", "$1", "42", "E'\\' FROM c'", "$$ FROM d $$", "null", "x.\"from\"");
        }
        int less = depth - 1;
        return switch (random.nextInt(15)) {
            case 0 -> "(" + query(less, scope) + ")";
            case 1 -> "EXISTS (" + query(less, scope) + ")";
            case 2 -> "k IN (" + query(less, scope) + ")";
            case 3 -> "ARRAY(" + query(less, scope) + ")";
            case 4 -> "f(" + expression(less, scope) + ", " + expression(less, scope) + ")";
            case 5 -> "CASE WHEN " + expression(less, scope) + " THEN " + expression(less, scope) + " END";
            case 6 -> "EXTRACT(year FROM " + expression(0, scope) + ")";
            case 7 -> "(k IS DISTINCT FROM l)";
            case 8 -> "k IN (1, 2, 3, 4)";
            case 9 -> "(" + expression(less, scope) + ")::s.ty[]";
            case 10 -> "count(*) FILTER (WHERE " + expression(less, scope) + ")";
            case 11 -> "sum(k) OVER (PARTITION BY " + expression(less, scope) + " ORDER BY l)";
            case 12, 13 -> "(" + expression(0, scope) + " " + pick(OPERATORS) + " " + expression(0, scope) + ")";
            default -> expression(0, scope);
        };
    }
}
