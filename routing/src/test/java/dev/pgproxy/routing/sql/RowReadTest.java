package dev.pgproxy.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Reads of one value as reads of many. That the texts mean the same, NPlusOneIT asks PostgreSQL. */
final class RowReadTest {
    @Test
    void anArrayTakesThePlaceOfTheValue() {
        assertThat(RowRead.batched("SELECT * FROM comments WHERE post_id = $1 AND state = ?", "post_id"))
                .isEqualTo("SELECT * FROM comments WHERE post_id = ANY($1) AND state = ?");
        assertThat(RowRead.batched("SELECT c.body FROM comments c WHERE (\"c\".\"post_id\" = ? AND ? = ?)", null))
                .isEqualTo(
                        "SELECT \"c\".\"post_id\", c.body FROM comments c WHERE (\"c\".\"post_id\" = ANY(?) AND ? = ?)");
    }

    @Test
    void theValueMayStandBeforeItsColumn() {
        assertThat(RowRead.batched("SELECT title FROM books WHERE ? = books.author_id ORDER BY id", "author_id"))
                .isEqualTo("SELECT books.author_id, title FROM books WHERE books.author_id = ANY(?) ORDER BY id");
    }

    @Test
    void sumsAreGrouped() {
        assertThat(RowRead.batched("SELECT count(*) FROM comments WHERE post_id = $1", "post_id"))
                .isEqualTo("SELECT post_id, count(*) FROM comments WHERE post_id = ANY($1) GROUP BY post_id");
    }

    @Test
    void whatIsCutIsCutForEachValue() {
        assertThat(RowRead.batched("SELECT * FROM comments WHERE post_id = $1 ORDER BY id DESC LIMIT $2", "post_id"))
                .isEqualTo(
                        "SELECT given.value, each_row.* FROM unnest($1) AS given(value) CROSS JOIN LATERAL"
                                + " (SELECT * FROM comments WHERE post_id = given.value ORDER BY id DESC LIMIT $2) AS each_row");
    }

    @Test
    void theParentGivesTheValues() {
        assertThat(RowRead.joined(
                        "SELECT * FROM comments WHERE post_id = $1",
                        "post_id",
                        "SELECT id, title FROM posts LIMIT ?",
                        "id"))
                .isEqualTo("SELECT parent.id, each_row.* FROM (SELECT id, title FROM posts LIMIT ?) AS parent"
                        + " CROSS JOIN LATERAL (SELECT * FROM comments WHERE post_id = parent.id) AS each_row");
        assertThat(RowRead.joined("SELECT * FROM c WHERE p = $1", "p", "SELECT title FROM posts", "id"))
                .isNull();
    }

    @Test
    void whatCannotBeToldIsNotTold() {
        assertThat(RowRead.batched("SELECT * FROM t WHERE a = $1 OR b = $2", "a"))
                .isNull();
        assertThat(RowRead.batched("SELECT * FROM t WHERE a = $1", "b")).isNull();
        assertThat(RowRead.batched("SELECT a, b, c FROM t WHERE a …", null)).isNull();
        assertThat(RowRead.batched("SELECT * FROM a WHERE x = $1 UNION SELECT * FROM b", null))
                .isNull();
    }
}
