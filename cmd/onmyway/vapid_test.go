package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVAPIDPairIsConfiguration: what is printed is taken as it is, with the private key in it or in a file beside it.
func TestVAPIDPairIsConfiguration(t *testing.T) {
	key := filepath.Join(t.TempDir(), "vapid")
	for name, args := range map[string][]string{"in one file": nil, "with a file of its own": {"--private-key-file", key}} {
		t.Run(name, func(t *testing.T) {
			v := invoke(t, nil, "", append([]string{"vapid", "generate"}, args...)...)
			v.want(t, 0, "private_key_file: ")
			printed := write(t, "onmyway.yaml", v.out)
			checked := invoke(t, nil, "", "config", "check", "--config", printed)
			if checked.want(t, 0); strings.Contains(checked.out, "push.vapid") {
				t.Errorf("something is wrong with the pair:\n%s", checked.out)
			}
			secret, err := os.ReadFile(key)
			if args == nil {
				return
			}
			if err != nil || strings.Contains(v.out, strings.TrimSpace(string(secret))) {
				t.Errorf("the private key is printed, or not kept: %v", err)
			}
			if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("others can read the private key: %v, %v", info, err)
			}
			invoke(t, nil, "", append([]string{"vapid", "generate"}, args...)...).want(t, 2, "is there already")
			if again, _ := os.ReadFile(key); string(again) != string(secret) {
				t.Error("a key that was there is written over")
			}
		})
	}
	invoke(t, nil, "", "vapid", "generate", "--private-key-file", "/nowhere/key").want(t, 2, "--private-key-file: ")
}
