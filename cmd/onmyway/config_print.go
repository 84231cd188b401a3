package main

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"onmyway/notify"
)

// settingLine is one key as it is shown.
type settingLine struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// lines are all keys in the order of Config, with secrets masked.
func (s *settings) lines() (list []settingLine) {
	add := func(key string, value any) {
		origin := s.origins[key]
		if origin == "" {
			origin = "default"
		}
		list = append(list, settingLine{key, value, origin})
	}
	eachKey(reflect.ValueOf(s.Config), "", func(key, _ string, v reflect.Value) { add(key, shown(key, v.Interface())) })
	add("routes", routesAsKeys(s.Routes))
	return list
}

// routesAsKeys are routes with the names that they have in the file.
func routesAsKeys(routes []notify.Route) []map[string]any {
	list := make([]map[string]any, len(routes))
	for i, r := range routes {
		list[i] = map[string]any{}
		v := reflect.ValueOf(r)
		for f := range v.NumField() {
			if !v.Field(f).IsZero() {
				list[i][v.Type().Field(f).Tag.Get("yaml")] = routeValue(v.Field(f).Interface())
			}
		}
	}
	return list
}

// routeValue is a value of a route as the file writes it.
func routeValue(value any) any {
	if s, ok := value.(notify.Escalation); ok {
		return map[string]any{"after": s.After.String(), "unless": s.Unless}
	}
	return value
}

// shown is a value without what is nobody's business.
func shown(key string, value any) any {
	switch v := value.(type) {
	case string:
		return shownText(key, v)
	case []string:
		if v == nil {
			return []string{}
		}
		return v
	case fmt.Stringer: // durations
		return v.String()
	}
	return value
}

const masked = "***"

func shownText(key, text string) string {
	secret := slices.Contains(secrets, key)
	isURL := secret && strings.HasSuffix(key, ".url")
	switch u, err := url.Parse(text); {
	case text == "":
		return ""
	case key == "sms.twilio.from" && strings.HasPrefix(text, "+") && len(text) > 6: // a phone number, to be recognised only
		return text[:2] + strings.Repeat("•", len(text)-4) + text[len(text)-2:]
	case secret && !isURL, isURL && err != nil:
		return masked
	case err == nil && u.User != nil:
		return withoutPassword(u)
	case isURL && u.RawQuery != "":
		return withoutPassword(u)
	}
	return text
}

// withoutPassword writes a URL with its password masked, wherever it stands.
func withoutPassword(u *url.URL) string {
	clean := *u
	if _, has := u.User.Password(); has {
		clean.User = url.UserPassword(u.User.Username(), masked)
	}
	query := clean.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "pass") || name == "sslkey" {
			query.Set(name, masked)
		}
	}
	clean.RawQuery = query.Encode()
	return strings.ReplaceAll(clean.String(), url.QueryEscape(masked), masked)
}

func printSettings(out io.Writer, lines []settingLine) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Key, printed(l.Value), l.Origin)
	}
	return w.Flush()
}

func printed(value any) string {
	switch v := value.(type) {
	case []string:
		return printed(strings.Join(v, ", "))
	case []map[string]any:
		return fmt.Sprintf("%d routes", len(v))
	}
	if text := fmt.Sprint(value); text != "" {
		return text
	}
	return "-"
}
