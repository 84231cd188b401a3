package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"onmyway/api"
	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// byCommandLine is who acts, in the audit.
const byCommandLine = "command line"

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke API keys",
		Long: `Make, list and revoke API keys. These commands write into the configured database, as migrate does; the service need not
run. What they do holds at once on every node.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keysCreateCommand(), keysListCommand(), keysRevokeCommand())
	return cmd
}

// keyStore is where API keys are kept.
type keyStore interface {
	CreateKey(ctx context.Context, act notify.Act, k notify.APIKey) error // ErrKeyName
	Keys(ctx context.Context) ([]notify.APIKey, error)
	RevokeKey(ctx context.Context, act notify.Act, nameOrID string) (notify.APIKey, error) // ErrNotFound
}

// newKey is what keys create asks for.
type newKey struct {
	name    string
	scopes  []string
	expires string
}

func keysCreateCommand() *cobra.Command {
	var ask newKey
	var output *format
	cmd := &cobra.Command{
		Use:   "create --name NAME --scopes SCOPE,…",
		Short: "Make an API key and print it, once",
		Long: `Make an API key and print it, once: it is stored nowhere. The name stands in the audit of everything that is done with it.

The scopes are ` + join(api.Scopes) + `; * is all of them, and those of later versions.`,
		Example: `  onmyway keys create --name support-desk --scopes messages:read,messages:resend,customers:read
  onmyway keys create --name order-system --scopes events:write --expires 90d > key.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now()
			expires, err := ask.check(now)
			if err != nil {
				return usageError{err}
			}
			return withSchema(cmd, func(ctx context.Context, s *sqlstore.Store) error {
				return createKey(cmd, s, &ask, now, expires, *output)
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&ask.name, "name", "", "what the key is called: unique, it stands in the audit")
	fs.StringSliceVar(&ask.scopes, "scopes", nil, "what it may do")
	fs.StringVar(&ask.expires, "expires", "", "how long it is good: 90d, 12h (default: for ever)")
	output = outputFlag(fs)
	configFlags(fs)
	return cmd
}

// withSchema opens the configured database for one call that needs the newest schema.
func withSchema(cmd *cobra.Command, use func(context.Context, *sqlstore.Store) error) error {
	return withStore(cmd, func(ctx context.Context, s *sqlstore.Store) error {
		pending, err := s.Pending(ctx)
		if err != nil {
			return err
		}
		if len(pending) > 0 {
			return fmt.Errorf("the database misses %d migrations: run `onmyway migrate up` with the same configuration first", len(pending))
		}
		return use(ctx, s)
	})
}

const longestKeyName = 64

// check names everything that is wrong, and says when the key expires; zero for never.
func (k *newKey) check(now time.Time) (expires time.Time, err error) {
	var errs []error
	switch name := k.name; {
	case name == "":
		errs = append(errs, errors.New("--name is missing: say whose key it is"))
	case name == byCommandLine || name == "bootstrap":
		errs = append(errs, fmt.Errorf("--name: %q is what the audit calls somebody else: take another one", name))
	case utf8.RuneCountInString(name) > longestKeyName || oneLine(name) != name || strings.TrimSpace(name) != name || !utf8.ValidString(name):
		errs = append(errs, fmt.Errorf("--name: write up to %d characters on one line", longestKeyName))
	}
	if len(k.scopes) == 0 {
		errs = append(errs, errors.New("--scopes is missing: name what the key may do, such as messages:read"))
	}
	known := append(slices.Clone(api.Scopes), api.AllScopes)
	for _, s := range k.scopes {
		if s == "" {
			errs = append(errs, errors.New("--scopes: a scope is empty: write them like messages:read,messages:resend"))
		}
		errs = append(errs, oneOf("--scopes", s, known))
	}
	slices.Sort(k.scopes)
	k.scopes = slices.Compact(k.scopes)
	if k.expires != "" {
		good, err := readSpan(k.expires)
		if err != nil {
			errs = append(errs, fmt.Errorf("--expires: %w", err))
		}
		expires = now.Add(good)
	}
	return expires, errors.Join(errs...)
}

// shownKey is a key in JSON.
type shownKey struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Key        string    `json:"key,omitempty"` // only of a new one
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
}

func showKey(k *notify.APIKey) shownKey {
	return shownKey{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt.UTC().Truncate(time.Millisecond), CreatedBy: k.CreatedBy,
		ExpiresAt: k.ExpiresAt.UTC().Truncate(time.Millisecond), LastUsedAt: k.LastUsedAt.UTC(), RevokedAt: k.RevokedAt.UTC(),
	}
}

// createKey stores a key and prints it: alone on stdout, so that it can go into a file.
func createKey(cmd *cobra.Command, s keyStore, ask *newKey, now, expires time.Time, f format) error {
	act := notify.Act{At: now, By: byCommandLine}
	k, secret := notify.NewAPIKey(ask.name, ask.scopes, act, expires)
	if err := s.CreateKey(cmd.Context(), act, k); err != nil {
		return fmt.Errorf("store the key: %w", err)
	}
	if f == asJSON {
		shown := showKey(&k)
		shown.Key = secret
		return printJSON(cmd.OutOrStdout(), shown)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This is the key %s, id %s. Keep it now: it is not shown again.\n", k.Name, k.ID)
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), secret); err != nil {
		return fmt.Errorf("print the key: %w: revoke it and make another one", err)
	}
	return nil
}

func keysListCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List API keys, also those that are revoked",
		Example: "  onmyway keys list\n  onmyway keys list -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchema(cmd, func(ctx context.Context, s *sqlstore.Store) error {
				return listKeys(ctx, s, cmd.OutOrStdout(), time.Now(), *output)
			})
		},
	}
	output = outputFlag(cmd.Flags())
	configFlags(cmd.Flags())
	return cmd
}

func listKeys(ctx context.Context, s keyStore, w io.Writer, now time.Time, f format) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return fmt.Errorf("list the keys: %w", err)
	}
	if f == asJSON {
		shown := make([]shownKey, len(keys))
		for i := range keys {
			shown[i] = showKey(&keys[i])
		}
		return printJSON(w, map[string]any{"items": shown})
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(w, "no keys: make one with onmyway keys create")
		return err
	}
	rows := [][]string{{"NAME", "ID", "STATE", "LAST USED", "EXPIRES", "SCOPES"}}
	for i := range keys {
		k := &keys[i]
		rows = append(rows, []string{k.Name, k.ID, standing(k, now), orNever(k.LastUsedAt), orNever(k.ExpiresAt), strings.Join(k.Scopes, ",")})
	}
	return printTable(w, rows)
}

// standing says whether a key is good.
func standing(k *notify.APIKey, now time.Time) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "revoked"
	case k.Expired(now):
		return "expired"
	}
	return "good"
}

func orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return clockTime(t)
}

func keysRevokeCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:     "revoke NAME|ID",
		Short:   "Revoke an API key: the next call with it is refused, on every node",
		Example: "  onmyway keys revoke support-desk",
		Args:    exactlyOne("name or id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSchema(cmd, func(ctx context.Context, s *sqlstore.Store) error {
				return revokeKey(ctx, s, cmd.OutOrStdout(), time.Now(), args[0], *output)
			})
		},
	}
	output = outputFlag(cmd.Flags())
	configFlags(cmd.Flags())
	return cmd
}

func revokeKey(ctx context.Context, s keyStore, w io.Writer, now time.Time, nameOrID string, f format) error {
	k, err := s.RevokeKey(ctx, notify.Act{At: now, By: byCommandLine}, nameOrID)
	if errors.Is(err, notify.ErrNotFound) {
		return missingKey(ctx, s, nameOrID)
	}
	if err != nil {
		return fmt.Errorf("revoke the key: %w", err)
	}
	if f == asJSON {
		return printJSON(w, showKey(&k))
	}
	if _, err := fmt.Fprintf(w, "revoked %s (%s)\n", oneLine(k.Name), k.ID); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// missingKey says what to write instead. What was written may be a whole key, by mistake: it is not repeated.
func missingKey(ctx context.Context, s keyStore, word string) error {
	if id, ok := notify.APIKeyID(word); ok {
		return fmt.Errorf("this is a key itself: revoke it by its id, onmyway keys revoke %s", id)
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return fmt.Errorf("list the keys: %w", err)
	}
	var names []string
	for i := range keys {
		if !keys[i].RevokedAt.IsZero() {
			if keys[i].Name == word || keys[i].ID == word {
				return errors.New("this key is revoked already")
			}
			continue
		}
		names = append(names, keys[i].Name)
	}
	if near, ok := notify.Nearest(word, names); ok {
		return fmt.Errorf("there is no such key: did you mean %s?", oneLine(near))
	}
	return errors.New("there is no such key: onmyway keys list shows them")
}
