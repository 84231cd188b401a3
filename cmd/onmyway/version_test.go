package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	invoke(t, nil, "", "version").want(t, 0, "onmyway "+version, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	v := invoke(t, nil, "", "version", "-o", "json")
	var b buildInfo
	if err := json.Unmarshal([]byte(v.out), &b); err != nil || b.Go != runtime.Version() || b.Version == "" {
		t.Errorf("%v:\n%s", err, v.out)
	}
	invoke(t, nil, "", "version", "-o", "xml").want(t, 2, "xml")
	text := buildInfo{Version: "1.2.3", Commit: "abc", Modified: true, Go: "go1", Platform: "a/b"}.String()
	if !strings.Contains(text, "abc with changes") || strings.Contains(text, "built") {
		t.Errorf("got:\n%s", text)
	}
}
