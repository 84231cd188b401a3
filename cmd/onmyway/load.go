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
	"sms.twilio.api_secret", "sms.twilio.auth_token", "sms.twilio.auth_token_old", "push.vapid.private_key",
}

// foreign matches variables with our prefix that are nobody's configuration: what Kubernetes sets for a Service called
// onmyway, what tests are told, and what the commands that speak REST are told.
var foreign = regexp.MustCompile(`^(port|port_.*|service_.*|test_.*|require_services|npm_dir|url|api_key)$`)

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
		case float64:
			fs.Float64(key, x, help)
		case time.Duration:
			fs.Duration(key, x, help)
		case []string:
			fs.StringSlice(key, x, help)
		}
	})
}

// loadConfig merges flags over environment over file over defaults, and checks the result. The error names all that is
// wrong, at once.
func loadConfig(fs *pflag.FlagSet) (Config, error) {
	s, err := loadSettings(fs)
	return s.Config, err
}

// loadSettings is loadConfig, and remembers where each value came from.
func loadSettings(fs *pflag.FlagSet) (settings, error) {
	s := settings{Config: defaultConfig(), origins: map[string]string{}}
	list, err := sources(fs)
	if err != nil {
		return s, err
	}
	known := knownKeys()
	k := koanf.New(".")
	var errs []error
	for _, src := range list {
		for _, key := range src.values.Keys() {
			switch {
			case empty(src.values.Get(key)) && (known[key] || section(key, known)): // nothing behind the colon says nothing
				src.values.Delete(key)
			case !known[key]:
				errs = append(errs, unknownKey(key, known))
				src.values.Delete(key)
			default:
				s.origins[key] = src.where(key)
			}
		}
		errs = append(errs, k.Merge(src.values))
	}
	errs = append(errs, s.readSecretFiles(k))
	decode := koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &s.Config, TagName: "yaml", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(",")),
	}}
	if err := k.UnmarshalWithConf("", &s.Config, decode); err != nil {
		errs = append(errs, undecoded(err)...)
		if !onlyUnknown(errs) { // then what was read is no configuration to check
			return s, errors.Join(errs...)
		}
	}
	return s, errors.Join(append(errs, s.caused(s.check()))...)
}

// unknownIn is how the decoder speaks of keys that it does not know, within lists such as routes.
const unknownIn = "' has invalid keys: "

// undecoded takes the decoder's error apart, which is a headline and one line for each thing that is wrong.
func undecoded(err error) (errs []error) {
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasSuffix(line, ":") {
			continue
		}
		if where, keys, found := strings.Cut(line, unknownIn); found {
			line = fmt.Sprintf("%s knows no key %s", strings.TrimPrefix(where, "'"), keys)
		}
		errs = append(errs, errors.New("configuration: "+line))
	}
	return errs
}

// onlyUnknown tells that the decoder has read everything that it knows.
func onlyUnknown(errs []error) bool {
	for _, err := range errs {
		if err != nil && strings.HasPrefix(err.Error(), "configuration: ") && !strings.Contains(err.Error(), " knows no key ") {
			return false
		}
	}
	return true
}

// knownKeys are all that may be said, with the keys of files that hold secrets.
func knownKeys() map[string]bool {
	known := map[string]bool{"routes": true}
	eachKey(reflect.ValueOf(Config{}), "", func(key, _ string, _ reflect.Value) { known[key] = true })
	for _, s := range secrets {
		known[s+fileSuffix] = true
	}
	return known
}

func empty(value any) bool {
	m, isMap := value.(map[string]any)
	return value == nil || isMap && len(m) == 0
}

// section tells that keys begin with this one.
func section(key string, known map[string]bool) bool {
	for k := range known {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// readSecretFiles replaces every "<secret>_file" by the content of the file.
func (s *settings) readSecretFiles(k *koanf.Koanf) error {
	var errs []error
	for _, key := range secrets {
		path := k.String(key + fileSuffix)
		k.Delete(key + fileSuffix)
		if path == "" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			s.unread = append(s.unread, key)
			errs = append(errs, fmt.Errorf("%s: %w", key+fileSuffix, err))
			continue
		}
		s.origins[key] = "file " + path + ", named by " + s.origins[key+fileSuffix]
		errs = append(errs, k.Set(key, strings.TrimSpace(string(content))))
	}
	return errors.Join(errs...)
}

// caused leaves out of what a check found wrong what names a secret whose file can't be read: that it is missing was said.
func (s *settings) caused(err error) error {
	var errs []error
	for _, problem := range problems(err) {
		if !slices.ContainsFunc(s.unread, func(key string) bool { return mentions(problem, key) }) {
			errs = append(errs, errors.New(problem))
		}
	}
	return errors.Join(errs...)
}

// mentions tells that a text names a key, and not only one that begins like it.
func mentions(text, key string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(key) + `\b`).MatchString(text)
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
