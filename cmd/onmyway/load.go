package main

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"onmyway/notify"
)

const (
	envPrefix  = "ONMYWAY_"
	fileSuffix = "_file" // of a key whose value stands in a file
)

// secrets are the keys whose value may stand in a file, as container platforms hand them out.
var secrets = []string{
	"kafka.sasl.password", "redis.url", "database.url", "auth.bootstrap_key", "auth.token_secret",
	"sms.twilio.api_secret", "sms.twilio.auth_token", "push.vapid.private_key",
}

// foreign matches variables with our prefix that are nobody's configuration: what Kubernetes sets for a Service called
// onmyway, and what tests are told.
var foreign = regexp.MustCompile(`^(port|port_.*|service_.*|test_.*|require_services|npm_dir)$`)

//go:embed routes.yaml
var defaultRoutes []byte

// configFlags adds a flag for every key that has one value or a list of them.
func configFlags(fs *pflag.FlagSet) {
	fs.String("config", "", "configuration file (YAML)")
	eachKey(reflect.ValueOf(defaultConfig()), "", func(key, help string, v reflect.Value) {
		switch x := v.Interface().(type) {
		case string:
			fs.String(key, x, help)
		case bool:
			fs.Bool(key, x, help)
		case int:
			fs.Int(key, x, help)
		case time.Duration:
			fs.Duration(key, x, help)
		case []string:
			fs.StringSlice(key, x, help)
		}
	})
}

// loadConfig merges flags over environment over file over defaults, and checks the result.
func loadConfig(fs *pflag.FlagSet) (Config, error) {
	cfg := defaultConfig()
	known := map[string]bool{"routes": true}
	eachKey(reflect.ValueOf(cfg), "", func(key, _ string, _ reflect.Value) { known[key] = true })
	for _, s := range secrets {
		known[s+fileSuffix] = true
	}
	k := koanf.New(".")
	if err := loadSources(k, fs); err != nil {
		return cfg, err
	}
	var errs []error
	for _, key := range k.Keys() {
		if !known[key] {
			errs = append(errs, unknownKey(key, known))
		}
	}
	errs = append(errs, readSecretFiles(k))
	if err := errors.Join(errs...); err != nil {
		return cfg, err
	}
	decode := koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &cfg, TagName: "yaml", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(",")),
	}}
	if err := k.UnmarshalWithConf("", &cfg, decode); err != nil {
		return cfg, fmt.Errorf("configuration: %w", err)
	}
	return cfg, cfg.check()
}

// loadSources reads the built-in routes, the file, the environment and the flags, each over the one before.
func loadSources(k *koanf.Koanf, fs *pflag.FlagSet) error {
	routes, err := yaml.Parser().Unmarshal(defaultRoutes)
	if err != nil {
		return fmt.Errorf("built-in routes: %w", err)
	}
	if err := k.Load(confmap.Provider(routes, "."), nil); err != nil {
		return fmt.Errorf("built-in routes: %w", err)
	}
	path := os.Getenv(envPrefix + "CONFIG")
	if f := fs.Lookup("config"); f != nil && f.Changed {
		path = f.Value.String()
	}
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return fmt.Errorf("read configuration file %s: %w", path, err)
		}
	}
	environment := env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: func(name, value string) (string, any) {
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), "__", ".")
		if key == "config" || foreign.MatchString(key) {
			return "", nil
		}
		return key, value
	}})
	if err := k.Load(environment, nil); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.Visit(func(f *pflag.Flag) { // only what was given on the command line
		if strings.Contains(f.Name, ".") {
			set.AddFlag(f)
		}
	})
	return k.Load(posflag.Provider(set, ".", nil), nil)
}

// readSecretFiles replaces every "<secret>_file" by the content of the file.
func readSecretFiles(k *koanf.Koanf) error {
	var errs []error
	for _, s := range secrets {
		path := k.String(s + fileSuffix)
		if path == "" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s+fileSuffix, err))
			continue
		}
		k.Delete(s + fileSuffix)
		errs = append(errs, k.Set(s, strings.TrimSpace(string(content))))
	}
	return errors.Join(errs...)
}

// eachKey calls f for every leaf of the configuration, by its dotted key, with its help.
func eachKey(v reflect.Value, prefix string, f func(key, help string, v reflect.Value)) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key := prefix + tag.Get("yaml")
		switch field := v.Field(i); {
		case field.Kind() == reflect.Struct:
			eachKey(field, key+".", f)
		case key != "routes":
			f(key, tag.Get("help"), field)
		}
	}
}

func unknownKey(key string, known map[string]bool) error {
	near, ok := notify.Nearest(key, slices.Sorted(maps.Keys(known)))
	if !ok {
		return fmt.Errorf("%s is not a configuration key", key)
	}
	return fmt.Errorf("%s is not a configuration key: did you mean %s?", key, near)
}
