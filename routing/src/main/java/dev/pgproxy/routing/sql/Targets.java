package dev.pgproxy.routing.sql;

/**
 * Reads the statements that JSqlParser cannot read and that name relations and functions plainly: COPY t, TRUNCATE and
 * CALL. Immutable.
 */
final class Targets {
    private Targets() {}

    /** Whether the tokens between the places are such a statement, whose names are then added. */
    static boolean read(Tokens tokens, int begin, int end, Findings findings) {
        return switch (tokens.keyword(begin)) {
            case "call" -> call(tokens, begin + 1, end, findings);
            case "copy" -> copy(tokens, begin + 1, end, findings);
            case "truncate" -> truncate(tokens, begin + 1, end, findings);
            default -> false;
        };
    }

    /** CALL f(arguments): queries cannot be among the arguments. */
    private static boolean call(Tokens tokens, int begin, int end, Findings findings) {
        int open = tokens.chainEnd(begin);
        if (!tokens.isIdentifier(begin) || tokens.type(open) != '(' || tokens.partner(open) != end - 1) {
            return false;
        }
        findings.addFunction(tokens.name(begin));
        return expression(tokens, open, end, findings);
    }

    /** Reads what stands between the places and names no relations; false if it seems to. */
    private static boolean expression(Tokens tokens, int from, int to, Findings findings) {
        Tokens part = tokens.part(from, to);
        if (part == null) {
            return false;
        }
        NameFinder names = new NameFinder(part);
        names.run();
        findings.add(names);
        return names.mentions.isEmpty();
    }

    /** COPY [BINARY] t [(columns)] FROM … [WHERE …], or TO the client. */
    private static boolean copy(Tokens tokens, int begin, int end, Findings findings) {
        int name = tokens.keyword(begin).equals("binary") ? begin + 1 : begin;
        if (!tokens.mayNameRelation(name)) {
            return false;
        }
        int next = tokens.chainEnd(name);
        if (tokens.type(next) == '(') {
            next = tokens.partner(next) + 1;
        }
        boolean from = tokens.keyword(next).equals("from");
        if (!from && !isToClient(tokens, next)) {
            return false;
        }
        findings.addTarget(tokens.name(name), from);
        int where = next;
        while (where < end && !tokens.keyword(where).equals("where")) {
            where++;
        }
        return where == end || expression(tokens, where + 1, end, findings);
    }

    /** Whether TO STDOUT stands here; a file or a program would be one of the host's. */
    static boolean isToClient(Tokens tokens, int i) {
        String where = tokens.keyword(i + 1);
        return tokens.keyword(i).equals("to") && (where.equals("stdout") || where.equals("stdin"));
    }

    /** TRUNCATE [TABLE] [ONLY] t [*], … [RESTART | CONTINUE IDENTITY] [CASCADE | RESTRICT]. */
    private static boolean truncate(Tokens tokens, int begin, int end, Findings findings) {
        int i = tokens.keyword(begin).equals("table") ? begin + 1 : begin;
        while (true) {
            i = tokens.keyword(i).equals("only") ? i + 1 : i;
            boolean parenthesis = tokens.type(i) == '(';
            i = parenthesis ? i + 1 : i;
            if (!tokens.mayNameRelation(i)) {
                return false;
            }
            findings.addTarget(tokens.name(i), true);
            i = tokens.chainEnd(i);
            i = parenthesis || tokens.word(i).equals("*") ? i + 1 : i;
            if (tokens.type(i) != ',') {
                break;
            }
            i++;
        }
        if (tokens.keyword(i).equals("restart") || tokens.keyword(i).equals("continue")) {
            i += 2;
        }
        String behaviour = tokens.keyword(i);
        return i + (behaviour.equals("cascade") || behaviour.equals("restrict") ? 1 : 0) == end;
    }
}
