package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.PageText;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The texts of the page: that they need nothing else, and use nothing but what they say. */
final class PageTest {
    private static final Page PAGE = new Page();
    private static final String SCRIPT = text("/page.js");

    private static String text(String path) {
        return Objects.requireNonNull(PAGE.at(path)).text();
    }

    private static Set<String> all(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        Set<String> found = new TreeSet<>();
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    @Test
    void itShowsWhatItIsToldAndIsToldWhatItShows() {
        PageText page = PageText.read(SCRIPT);
        Set<String> told = new TreeSet<>(page.columns().keySet());
        told.removeAll(page.asked());
        told.add("version");
        assertThat(told).isEqualTo(new TreeSet<>(Endpoints.SHOWN));
        assertThat(all("(?:rowsOf|table)\\(\"([a-z_ ]+)\"", SCRIPT))
                .isEqualTo(page.columns().keySet());
        assertThat(all("\\brow\\.([a-z_]+)", SCRIPT))
                .isSubsetOf(
                        page.columns().values().stream().flatMap(List::stream).collect(Collectors.toSet()));
    }

    @Test
    void valuesBecomeTextAndNeverMarkup() {
        for (String dangerous : List.of(
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
                "srcdoc",
                "DOMParser",
                "setTimeout(\"",
                "javascript:")) {
            assertThat(SCRIPT).doesNotContain(dangerous);
        }
    }

    @Test
    void itNeedsNothingFromElsewhere() {
        String html = text("/");
        assertThat(html)
                .doesNotContainPattern("<script(?! src=\"page\\.js\")")
                .doesNotContainPattern("<style|style=|\\son[a-z]+=");
        assertThat(all("(?:src|href)=\"([^\"]*)\"", html))
                .containsExactlyInAnyOrder("page.js", "page.css", "data:,", "health/db/report");
        assertThat(all("(https?://[^\"]*)", SCRIPT)).containsExactly("http://www.w3.org/2000/svg");
        assertThat(text("/page.css")).doesNotContain("url(", "@import");
    }
}
