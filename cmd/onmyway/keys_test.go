package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

func TestKeys(t *testing.T) {
	url, env := database(t)
	v := invoke(t, env, "", "keys", "create", "--name", "support-desk", "--scopes", "messages:resend,messages:read,messages:read", "--expires", "90d")
	v.want(t, 0, "it is not shown again")
	secret := strings.TrimSpace(v.out)
	id, ok := notify.APIKeyID(secret)
	if !ok || strings.Contains(v.err, secret) {
		t.Fatalf("stdout is not the key alone: %q", v.out)
	}
	onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error {
		k, err := s.Key(ctx, id)
		if err == nil && (!k.Matches(secret) || k.Name != "support-desk" || !k.May("messages:read") || k.May("*") || len(k.Scopes) != 2 ||
			k.CreatedBy != "command line" || time.Until(k.ExpiresAt).Round(time.Hour) != 90*24*time.Hour) {
			t.Errorf("%+v", k)
		}
		return err
	})
	invoke(t, env, "", "keys", "create", "--name", "support-desk", "--scopes", "*").want(t, 1, "there is a key with this name")

	v = invoke(t, env, "", "keys", "create", "-o", "json", "--name", "orders", "--scopes", "events:write")
	var made shownKey
	if err := json.Unmarshal([]byte(v.out), &made); err != nil || made.Name != "orders" || !strings.HasPrefix(made.Key, "omw_"+made.ID) || strings.Contains(v.out, "expires_at") {
		t.Errorf("%v:\n%s", err, v.out)
	}
	v = invoke(t, env, "", "keys", "list")
	if v.want(t, 0, "support-desk  "+id+"  good   never", "messages:read,messages:resend", "orders"); strings.Contains(v.out, secret[25:]) {
		t.Errorf("the list shows a secret:\n%s", v.out)
	}

	invoke(t, env, "", "keys", "revoke", "suport-desk").want(t, 1, "did you mean support-desk?")
	invoke(t, env, "", "keys", "revoke", "nobody-at-all").want(t, 1, "onmyway keys list")
	if v = invoke(t, env, "", "keys", "revoke", secret); strings.Contains(v.err, secret) {
		t.Errorf("a key is repeated: %s", v.err)
	}
	v.want(t, 1, "onmyway keys revoke "+id)
	invoke(t, env, "", "keys", "revoke", "support-desk").want(t, 0, "revoked support-desk ("+id+")\n")
	invoke(t, env, "", "keys", "revoke", "support-desk").want(t, 1, "revoked already")
	invoke(t, env, "", "keys", "revoke", id).want(t, 1, "revoked already")
	invoke(t, env, "", "keys", "revoke", "-o", "json", made.ID).want(t, 0, `"revoked_at"`)
	v = invoke(t, env, "", "keys", "list", "-o", "json")
	var list struct{ Items []shownKey }
	if err := json.Unmarshal([]byte(v.out), &list); err != nil || len(list.Items) != 2 || list.Items[0].RevokedAt.IsZero() || list.Items[0].Key != "" {
		t.Errorf("%v:\n%s", err, v.out)
	}
	onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error {
		rows, err := s.Audit(ctx, []string{"key:" + id}, 10)
		if err == nil && (len(rows) != 2 || rows[0].Did != notify.DidRevokeKey || rows[1].Did != notify.DidCreateKey || rows[0].By != "command line") {
			t.Errorf("audit: %+v", rows)
		}
		return err
	})
}

func TestKeysUsage(t *testing.T) {
	_, env := database(t)
	tests := map[string][]string{
		"create": {"--name is missing", "--scopes is missing"},
		"create --name x --scopes messages:raed,no":                {`did you mean messages:read?`, `"no" is unknown: use events:write, `},
		"create --name x --scopes messages:read,":                  {"a scope is empty"},
		"create --name x --scopes * --expires soon":                {"--expires: write a length of time"},
		"create --name bootstrap --scopes *":                       {"somebody else"},
		"create --name " + strings.Repeat("x", 65) + " --scopes *": {"up to 64 characters"},
		"revoke":   {"needs a name or id"},
		"list all": {"takes no arguments"},
	}
	for args, says := range tests {
		invoke(t, env, "", append([]string{"keys"}, strings.Fields(args)...)...).want(t, 2, says...)
	}
	invoke(t, env, "", "keys", "list").want(t, 0, "no keys: make one")
}
