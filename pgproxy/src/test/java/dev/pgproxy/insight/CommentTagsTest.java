package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What comments say of where a statement comes from. */
final class CommentTagsTest {
    private static @Nullable String tags(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        return CommentTags.of(text, text.length);
    }

    @Test
    void sqlCommenterIsDecodedAndInOrder() {
        assertThat(tags("SELECT 1 /*route='%2Fpolls%201',action='in%27dex',controller='polls',traceparent='00-1'*/"))
                .isEqualTo("action='in'dex', controller='polls', route='/polls 1'");
    }

    @Test
    void railsOfOldIsRead() {
        assertThat(tags("SELECT 1 /*application:Shop,controller:posts,action:index*/"))
                .isEqualTo("action='index', application='Shop', controller='posts'");
    }

    @Test
    void othersAreNotTags() {
        assertThat(tags("SELECT 1 /* just a word */ -- a='b'")).isNull();
        assertThat(tags("SELECT '/*a=''b''*/'")).isNull();
        assertThat(tags("SELECT 1 /*pgproxy: nocache*/")).isNull();
        assertThat(tags("SELECT 1")).isNull();
    }

    @Test
    void whateverClientsSayIsBoundedAndPrintable() {
        assertThat(tags("SELECT 1 /*a='%1b%5b31m'*/")).isEqualTo("a='\\u001b[31m'");
        assertThat(tags("SELECT 1 /*a='" + "x".repeat(5000) + "'*/")).isNull();
        StringBuilder many = new StringBuilder("SELECT 1 /*");
        for (int i = 0; i < 100; i++) {
            many.append("key").append(i).append("='").append("y".repeat(30)).append("',");
        }
        assertThat(tags(many + "z='1'*/")).hasSizeLessThan(1000).doesNotContain("key50");
        assertThat(tags("SELECT 1 /*a='%zz'*/")).isEqualTo("a='%zz'");
    }
}
