package dev.pgproxy.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Files of YAML, read as settings are; keys with a dot need quotes in a path. */
public final class YamlFile {
    private YamlFile() {}

    /** Each document of the file. */
    public static List<Config> documents(Path file) throws IOException {
        List<Config> documents = new ArrayList<>();
        Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
        for (Object document : yaml.loadAll(Files.readString(file))) {
            documents.add(
                    ConfigValueFactory.fromAnyRef(document).atKey("document").getConfig("document"));
        }
        return documents;
    }
}
