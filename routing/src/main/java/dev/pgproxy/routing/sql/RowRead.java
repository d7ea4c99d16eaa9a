package dev.pgproxy.routing.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import net.sf.jsqlparser.expression.BinaryExpression;
import net.sf.jsqlparser.expression.Expression;
import net.sf.jsqlparser.expression.Function;
import net.sf.jsqlparser.expression.JdbcParameter;
import net.sf.jsqlparser.expression.operators.conditional.AndExpression;
import net.sf.jsqlparser.expression.operators.relational.EqualsTo;
import net.sf.jsqlparser.expression.operators.relational.ExpressionList;
import net.sf.jsqlparser.expression.operators.relational.ParenthesedExpressionList;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.statement.select.AllColumns;
import net.sf.jsqlparser.statement.select.AllTableColumns;
import net.sf.jsqlparser.statement.select.GroupByElement;
import net.sf.jsqlparser.statement.select.PlainSelect;
import net.sf.jsqlparser.statement.select.SelectItem;
import org.jspecify.annotations.Nullable;

/**
 * Writes a read of the rows of one value ({@code WHERE post_id = $1}) as a read of those of many, from its text without literals.
 * Blocks for as long as JSqlParser is allowed to take: not for event loops. Stateless.
 */
public final class RowRead {
    /** Names of the rows of values, and of the inner statements. */
    private static final String GIVEN = "given";

    private static final String PARENT = "parent";
    private static final String INNER = "each_row";

    private static final TreeReader TREES = new TreeReader(ShapeReader.TIMEOUT_MILLIS);

    private RowRead() {}

    /**
     * The same for an array of values, with the value beside each row; null if it cannot be told how.
     *
     * @param column which is compared with the value; null = the first that is compared with one
     */
    public static @Nullable String batched(String masked, @Nullable String column) {
        PlainSelect select = plain(masked);
        EqualsTo key = select == null ? null : key(select.getWhere(), column);
        if (select == null || key == null) {
            return null;
        }
        Column of = (Column) key.getLeftExpression();
        if (isCut(select)) {
            String array = key.getRightExpression().toString();
            key.setRightExpression(new Column(GIVEN + ".value"));
            return "SELECT " + GIVEN + ".value, " + INNER + ".* FROM unnest(" + array + ") AS " + GIVEN
                    + "(value) CROSS JOIN LATERAL (" + select + ") AS " + INNER;
        }
        boolean sums = isSum(select);
        if (sums && select.getGroupBy() != null) {
            select.getGroupBy().getGroupByExpressionList().add(of);
        } else if (sums) {
            select.setGroupByElement(new GroupByElement().withGroupByExpressions(new ExpressionList<Expression>(of)));
        }
        if (!shows(select, of)) {
            List<SelectItem<?>> items = new ArrayList<>(select.getSelectItems());
            items.addFirst(new SelectItem<>(of));
            select.setSelectItems(items);
        }
        key.setRightExpression(new Function("ANY", key.getRightExpression()));
        return select.toString();
    }

    /**
     * The same for all rows of another read at once; null if it cannot be told how.
     *
     * @param column which is compared with the value
     * @param parent the other read
     * @param parentColumn what gives the value there
     */
    public static @Nullable String joined(String masked, String column, String parent, String parentColumn) {
        PlainSelect select = plain(masked);
        PlainSelect rows = plain(parent);
        EqualsTo key = select == null ? null : key(select.getWhere(), column);
        if (select == null || rows == null || key == null || !shows(rows, new Column(parentColumn))) {
            return null;
        }
        String quoted = dev.pgproxy.protocol.sql.SqlText.quoteIdentifier(parentColumn);
        key.setRightExpression(new Column(PARENT + "." + quoted));
        return "SELECT " + PARENT + "." + quoted + ", " + INNER + ".* FROM (" + rows + ") AS " + PARENT
                + " CROSS JOIN LATERAL (" + select + ") AS " + INNER;
    }

    private static @Nullable PlainSelect plain(String masked) {
        TreeReader.Tree tree = TREES.read(masked);
        return tree != null && tree.statement() instanceof PlainSelect select && select.getSelectItems() != null
                ? select
                : null;
    }

    /** The condition {@code column = value} that has to hold; null if there is none. */
    private static @Nullable EqualsTo key(@Nullable Expression where, @Nullable String column) {
        if (where instanceof AndExpression and) {
            EqualsTo left = key(and.getLeftExpression(), column);
            return left == null ? key(and.getRightExpression(), column) : left;
        }
        if (where instanceof ParenthesedExpressionList<?> list && list.size() == 1) {
            return key(list.getFirst(), column);
        }
        if (where instanceof EqualsTo turned
                && turned.getLeftExpression() instanceof JdbcParameter value
                && turned.getRightExpression() instanceof Column of) {
            turned.setLeftExpression(of);
            turned.setRightExpression(value);
        }
        boolean found = where instanceof EqualsTo equals
                && equals.getLeftExpression() instanceof Column of
                && equals.getRightExpression() instanceof JdbcParameter
                && (column == null || isNamed(of, column));
        return found ? (EqualsTo) where : null;
    }

    private static boolean isNamed(Column column, String name) {
        String written = column.getColumnName();
        return written.startsWith("\"")
                ? written.equals("\"" + name.replace("\"", "\"\"") + "\"")
                : written.toLowerCase(Locale.ROOT).equals(name);
    }

    /** Whether it gives some of its rows only: so many for each value. */
    private static boolean isCut(PlainSelect select) {
        return select.getLimit() != null || select.getFetch() != null || select.getOffset() != null;
    }

    private static boolean isSum(PlainSelect select) {
        return select.getGroupBy() != null
                || select.getSelectItems().stream().anyMatch(item -> sums(item.getExpression()));
    }

    private static boolean sums(@Nullable Expression expression) {
        if (expression instanceof BinaryExpression both) {
            return sums(both.getLeftExpression()) || sums(both.getRightExpression());
        }
        if (!(expression instanceof Function function)) {
            return false;
        }
        ExpressionList<?> arguments = function.getParameters();
        return switch (function.getName().toLowerCase(Locale.ROOT)) {
            case "count", "sum", "avg", "min", "max", "bool_or", "bool_and", "array_agg", "string_agg" -> true;
            default -> arguments != null && arguments.stream().anyMatch(RowRead::sums);
        };
    }

    private static boolean shows(PlainSelect select, Column column) {
        String name = plainName(column);
        return select.getSelectItems().stream()
                .map(SelectItem::getExpression)
                .anyMatch(shown -> shown instanceof AllColumns
                        || shown instanceof AllTableColumns
                        || shown instanceof Column other && plainName(other).equals(name));
    }

    private static String plainName(Column column) {
        String written = column.getColumnName();
        return written.startsWith("\"") ? written.substring(1, written.length() - 1) : written.toLowerCase(Locale.ROOT);
    }
}
