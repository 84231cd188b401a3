package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// TracingConfig says where spans go. Without an endpoint there are none.
type TracingConfig struct {
	Endpoint string  `yaml:"endpoint" help:"OTLP over HTTP, such as http://collector:4318; /v1/traces is added. Empty: OTEL_EXPORTER_OTLP_ENDPOINT, or no traces"`
	Sample   float64 `yaml:"sample" help:"which part of the events and calls that belong to no trace starts one: 0 none, 1 all. Those of a trace follow their caller"`
}

const tracesPath = "/v1/traces"

// check tells what is wrong with it.
func (c *TracingConfig) check() error {
	var errs []error
	if !(c.Sample >= 0 && c.Sample <= 1) { // so that "not a number" is none
		errs = append(errs, errors.New("tracing.sample must be from 0 (no traces of our own) to 1 (of everything)"))
	}
	_, _, err := c.target()
	return errors.Join(append(errs, err)...)
}

// target is where spans are posted to and with which headers: what the configuration says, else what the environment says
// to everybody who speaks OpenTelemetry. An empty address means that tracing is off.
func (c *TracingConfig) target() (address string, headers map[string]string, err error) {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return "", nil, nil
	}
	key := "tracing.endpoint"
	switch {
	case c.Endpoint != "":
		address = strings.TrimSuffix(c.Endpoint, "/") + tracesPath
	case os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "":
		key = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
		address = os.Getenv(key)
	case os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "":
		key = "OTEL_EXPORTER_OTLP_ENDPOINT"
		address = strings.TrimSuffix(os.Getenv(key), "/") + tracesPath
	default:
		return "", nil, nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", nil, fmt.Errorf("%s is no URL of OTLP over HTTP: write it like http://collector:4318", key)
	case u.User != nil:
		return "", nil, fmt.Errorf("%s holds a user: put the credentials into OTEL_EXPORTER_OTLP_HEADERS, such as authorization=Bearer%%20…", key)
	}
	if p := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")); p != "" && p != "http/protobuf" {
		return "", nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: %q is not spoken here: use http/protobuf and the collector's port for it, most often 4318", p)
	}
	headers, err = otelHeaders(cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS"), os.Getenv("OTEL_EXPORTER_OTLP_HEADERS")))
	return address, headers, err
}

// otelHeaders reads "name=value,name=value", the values escaped as in URLs. The error does not show them: they are secrets.
func otelHeaders(list string) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS must be name=value, several with commas between them, the values escaped as in URLs")
		}
		headers[name] = value
	}
	return headers, nil
}
