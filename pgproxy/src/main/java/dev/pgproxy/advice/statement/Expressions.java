package dev.pgproxy.advice.statement;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import net.sf.jsqlparser.expression.Expression;
import net.sf.jsqlparser.expression.ExpressionVisitorAdapter;
import net.sf.jsqlparser.expression.operators.relational.ParenthesedExpressionList;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.statement.select.ParenthesedSelect;
import net.sf.jsqlparser.statement.select.Select;

/** Looks into expressions of JSqlParser. Stateless. */
public final class Expressions {
    private static final Pattern CAST = Pattern.compile("::[a-z_]+(?: varying| precision)?(?:\\[])?");

    private Expressions() {}

    /** The same text for expressions of an index and of a statement that are the same but for casts and parentheses around. */
    public static String canonical(String sql) {
        String text = CAST.matcher(sql.replace("\"", "")).replaceAll("").replace(" ", "");
        text = text.replaceAll("\\(\\(([^()]*)\\)\\)", "($1)");
        boolean wrapped = text.startsWith("(") && text.endsWith(")") && text.indexOf('(', 1) < 0;
        return wrapped ? text.substring(1, text.length() - 1) : text;
    }

    /** What is in it. Confined to its thread. */
    static final class Parts extends ExpressionVisitorAdapter<Void> {
        final List<Column> columns = new ArrayList<>();
        final List<Select> selects = new ArrayList<>();

        @Override
        public <S> Void visit(Column column, S context) {
            columns.add(column);
            return null;
        }

        @Override
        public <S> Void visit(ParenthesedSelect select, S context) {
            selects.add(select);
            return null;
        }

        @Override
        public <S> Void visit(Select select, S context) {
            selects.add(select);
            return null;
        }
    }

    static Parts parts(Expression expression) {
        Parts parts = new Parts();
        expression.accept(parts, null);
        return parts;
    }

    /** Without parentheses around. */
    static Expression bare(Expression expression) {
        Expression inner = expression;
        while (inner instanceof ParenthesedExpressionList<?> list && list.size() == 1) {
            inner = list.getFirst();
        }
        return inner;
    }
}
