package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	tree "go.yaml.in/yaml/v3"
)

// settings is the configuration and, for each key that somebody gave a value, where.
type settings struct {
	Config
	origins map[string]string // what is not in it has its default
	unread  []string          // secrets whose files can't be read
}

// source is one place where values are said.
type source struct {
	values *koanf.Koanf
	where  func(key string) string // how a person finds the value of a key there
}

// sources are the built-in routes, the file, the environment and the flags. Each wins over those before it.
func sources(fs *pflag.FlagSet) ([]source, error) {
	routes := koanf.New(".")
	content, err := yaml.Parser().Unmarshal(defaultRoutes)
	if err == nil {
		err = routes.Load(confmap.Provider(content, "."), nil)
	}
	if err != nil {
		return nil, fmt.Errorf("built-in routes: %w", err)
	}
	list := []source{{routes, func(string) string { return "default" }}}
	if path := configFile(fs); path != "" {
		file, err := fileSource(path)
		if err != nil {
			return nil, err
		}
		list = append(list, file)
	}
	environment := koanf.New(".")
	if err := environment.Load(env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: keyOfVariable}), nil); err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	flags := koanf.New(".")
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.Visit(func(f *pflag.Flag) { // only what was given on the command line
		if strings.Contains(f.Name, ".") {
			set.AddFlag(f)
		}
	})
	if err := flags.Load(posflag.Provider(set, ".", nil), nil); err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	return append(list,
		source{environment, func(key string) string { return "environment " + variable(key) }},
		source{flags, func(key string) string { return "flag --" + key }}), nil
}

// configFile is the path of the configuration file, empty for none.
func configFile(fs *pflag.FlagSet) string {
	if f := fs.Lookup("config"); f != nil && f.Changed {
		return f.Value.String()
	}
	return os.Getenv(envPrefix + "CONFIG")
}

// fileSource reads a configuration file.
func fileSource(path string) (source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, fmt.Errorf("read configuration file: %w", err)
	}
	values := koanf.New(".")
	content, err := yaml.Parser().Unmarshal(text)
	if err == nil {
		err = values.Load(confmap.Provider(content, "."), nil)
	}
	if err != nil {
		return source{}, fmt.Errorf("read configuration file %s: %w", path, err)
	}
	lines := linesOf(text)
	return source{values, func(key string) string {
		if line := lines[key]; line > 0 {
			return fmt.Sprintf("%s:%d", path, line)
		}
		return path
	}}, nil
}

// linesOf finds the line of every key of a YAML file. What it can't read has none.
func linesOf(text []byte) map[string]int {
	lines := map[string]int{}
	var doc tree.Node
	if err := tree.NewDecoder(bytes.NewReader(text)).Decode(&doc); err != nil || len(doc.Content) == 0 {
		return lines
	}
	var walk func(n *tree.Node, prefix string)
	walk = func(n *tree.Node, prefix string) {
		if n.Kind != tree.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := prefix + n.Content[i].Value
			lines[key] = n.Content[i].Line
			walk(n.Content[i+1], key+".")
		}
	}
	walk(doc.Content[0], "")
	return lines
}

// keyOfVariable reads the name of a variable as a key; what is nobody's configuration has none.
func keyOfVariable(name, value string) (key string, v any) {
	key = strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), "__", ".")
	if key == "config" || foreign.MatchString(key) {
		return "", nil
	}
	return key, value
}

// variable is the name of the variable for a key.
func variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}
