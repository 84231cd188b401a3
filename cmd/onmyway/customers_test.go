package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/mapping"
	"onmyway/notify/sqlstore"
)

// database is a migrated SQLite file, and the environment of commands that run on it.
func database(t *testing.T) (url string, env map[string]string) {
	t.Helper()
	url = "sqlite:" + filepath.Join(t.TempDir(), "onmyway.db")
	onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error { return s.Migrate(ctx) })
	return url, map[string]string{"ONMYWAY_DATABASE__URL": url, "ONMYWAY_LOG__LEVEL": "error"}
}

func onStore(t *testing.T, url string, use func(context.Context, *sqlstore.Store) error) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(use(t.Context(), s), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// stored reads customers.
func stored(t *testing.T, url string, ids ...string) (all []notify.Customer) {
	t.Helper()
	onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error {
		profiles := make([]notify.Profile, len(ids))
		err := s.Lookup(ctx, ids, profiles, nil, nil)
		for i := range profiles {
			all = append(all, profiles[i].Customer)
		}
		return err
	})
	return all
}

const fewCustomers = "\ufeffPhone, name ,id,locale,time_zone,sms,push,quiet_start,quiet_end\r\n" +
	"(415) 555-0123,\"Reyes, \"\"Dana\"\"\",c-1,en_us,America/Los_Angeles,off,,22:00,08:00\r\n" +
	",=1+1,c-2,,,ON,default,,\r\n" +
	"\r\n" +
	"+44 20 7946 0958,Sam,c-3,es,,,,none,none\r\n"

func TestImportCSV(t *testing.T) {
	url, env := database(t)
	path := fileWith(t, "few.csv", fewCustomers)
	invoke(t, env, "", "customers", "import", "--dry-run", path).want(t, 0, "3 read, 3 would be created, 0 changed, 0 unchanged, 0 rejected; nothing was written")
	if c := stored(t, url, "c-1"); c[0].Version != 0 {
		t.Fatalf("a dry run stored %+v", c)
	}
	invoke(t, env, "", "customers", "import", path).want(t, 0, "3 read, 3 created, 0 changed, 0 unchanged, 0 rejected\n")
	got := stored(t, url, "c-1", "c-2", "c-3")
	want := []notify.Customer{
		{ID: "c-1", Contact: notify.Contact{Name: `Reyes, "Dana"`, Phone: "+14155550123", Locale: "en-US", TimeZone: "America/Los_Angeles"},
			Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}, Quiet: &notify.QuietHours{Start: 22 * 60, End: 8 * 60}}},
		{ID: "c-2", Contact: notify.Contact{Name: "=1+1"}, Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: true}}},
		{ID: "c-3", Contact: notify.Contact{Name: "Sam", Phone: "+442079460958", Locale: "es"}},
	}
	for i := range got {
		if !got[i].ByAPI || got[i].Version != 1 {
			t.Errorf("%+v", got[i])
		}
		want[i].ByAPI, want[i].Version, want[i].CreatedAt, want[i].UpdatedAt = true, 1, got[i].CreatedAt, got[i].UpdatedAt
		if len(got[i].Preferences.Channels) == 0 {
			got[i].Preferences.Channels = nil
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// An empty cell and an absent column leave what is there.
	more := fileWith(t, "more.csv", "id,sms,name,quiet_start,quiet_end\nc-1,default,,none,none\nc-3,,,,\nc-4,,New,,\n")
	invoke(t, env, "", "customers", "import", "--dry-run", more).want(t, 0, "3 read, 1 would be created, 1 changed, 1 unchanged")
	invoke(t, env, "", "customers", "import", more).want(t, 0, "3 read, 1 created, 1 changed, 1 unchanged")
	got = stored(t, url, "c-1", "c-3")
	if c := got[0]; c.Name != `Reyes, "Dana"` || c.Phone != "+14155550123" || len(c.Preferences.Channels) != 0 || c.Preferences.Quiet != nil || c.Version != 2 {
		t.Errorf("%+v", c)
	}
	if got[1].Version != 1 {
		t.Errorf("what did not change was written: %+v", got[1])
	}
	invoke(t, env, "", "customers", "import", more).want(t, 0, "0 created, 0 changed, 3 unchanged")
	if left, _ := filepath.Glob(filepath.Dir(more) + "/*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImportJSONL(t *testing.T) {
	url, env := database(t)
	path := fileWith(t, "c.jsonl", `{"id":"c-1","name":"Dana","phone":"415-555-0123","locale":"en-US","time_zone":"America/Chicago",`+
		`"preferences":{"channels":{"sms":false},"categories":{"delays":{"push":true}},"quiet_hours":{"start":"21:00","end":"07:30"}}}`+"\n\n"+
		`{"id":"c-2","name":"Sam"}`)
	invoke(t, env, "", "customers", "import", path).want(t, 0, "2 read, 2 created")
	c := stored(t, url, "c-1")[0]
	want := notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false},
		Categories: map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.Push: true}}, Quiet: &notify.QuietHours{Start: 21 * 60, End: 7*60 + 30}}
	if diff := cmp.Diff(want, c.Preferences); diff != "" || c.Phone != "+14155550123" {
		t.Errorf("%+v (-want +got):\n%s", c, diff)
	}
	// What a line leaves out is emptied, as PUT does.
	invoke(t, env, "", "customers", "import", fileWith(t, "c.jsonl", `{"id":"c-1","name":"Dana"}`)).want(t, 0, "1 changed")
	if c := stored(t, url, "c-1")[0]; c.Phone != "" || c.Preferences.Quiet != nil || c.Name != "Dana" {
		t.Errorf("%+v", c)
	}
}

// TestImportWrongLines: each is told with its line and field, none with its value, and the others are imported.
func TestImportWrongLines(t *testing.T) {
	csv := "id,phone,locale,time_zone,sms,quiet_start,quiet_end,name\n" + // 1
		"a,555-SECRET,,,,,,\n" + // 2
		"b,,secretlanguage,,,,,\n" + // 3
		"c,,,Local,,,,\n" + // 4
		"d,,,,secret,,,\n" + // 5
		"e,,,,,22:00,,\n" + // 6
		"f,,,,,25:00,08:00,\n" + // 7
		",,,,,,,secret\n" + // 8
		"g,,,,,,,\"two\nlines\"\n" + // 9, 10
		"good,,,,,,,\n" + // 11
		"good,,,,,,,secret\n" + // 12
		"h,secret\n" + // 13
		"i,,,,,,,a \"secret\" b\n" + // 14
		"j,,,,,,,\xff\xfe\n" + // 15
		"k,,,,,,," + strings.Repeat("secret", 40) + "\n" + // 16
		"also good,4155550123,,,,,,\n" // 17
	jsonl := strings.Join([]string{
		`{"id":"a","phone":"secret"}`, `{"id":"b","phon":"secret"}`, `{"id":"c","name":{"secret":1}}`, `secret`, `{"id":"d"} {"id":"secret"}`,
		`{"id":"e","preferences":{"channels":{"secret":true}}}`, `{"id":"f","preferences":{"quiet_hours":{"start":"secret"}}}`,
		`{"id":"good"}`, `{"id":"good","name":"secret"}`, `{"id":"also good"}`, `{"name":"secret"}`, `{"id":"g","6505550123":1}`,
		`{"id":"h","name":"` + strings.Repeat("secret", 60_000) + `"}`,
		`{"id":"i","preferences":{"channels":{"":true}}}`, ``}, "\n")
	tests := []struct {
		file, content string
		read, bad     int
		says          []string
	}{
		{"c.csv", csv, 15, 13, []string{"line 2: phone is not a phone number", "line 3: locale ", "line 4: time_zone ", "line 5: sms is neither on nor off",
			"line 6: quiet_end is empty", "line 7: quiet_start is not a time of day", "line 8: id is missing", "line 9: name has line breaks",
			"line 12: id came before, on line 11", "line 13: has 2 cells where the first line names 8 columns", "line 14: has a quote inside",
			"line 15: name is not UTF-8", "line 16: name is longer than 200"}},
		{"c.jsonl", jsonl, 14, 12, []string{"line 1: phone ", "line 2: phon is not a field: did you mean phone?", "line 3: name is of the wrong kind",
			"line 4: is not a JSON object", "line 5: has more than one object", "line 6: preferences.channels names a channel that there is not",
			"line 7: preferences.quiet_hours.start ", "line 7: preferences.quiet_hours.end ", "line 9: id came before, on line 8", "line 11: id is missing",
			"line 12: is not a field", "line 13: is longer", "line 14: preferences.channels "}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			url, env := database(t)
			v := invoke(t, env, "", "customers", "import", fileWith(t, tt.file, tt.content))
			v.want(t, 1, append(tt.says, fmt.Sprintf("%d read, 2 created, 0 changed, 0 unchanged, %d rejected", tt.read, tt.bad))...)
			if strings.Contains(strings.ToLower(v.out+v.err), "secret") || strings.Contains(v.err, "650555") {
				t.Errorf("it shows a value:\n%s", v.err)
			}
			if c := stored(t, url, "good", "also good", "a"); c[0].Version != 1 || c[0].Name != "" || c[1].Version != 1 || c[2].Version != 0 {
				t.Errorf("%+v", c)
			}
			v = invoke(t, env, "", "customers", "import", "--dry-run", "-o", "json", fileWith(t, tt.file, tt.content))
			var sum imported
			if err := json.Unmarshal([]byte(v.out), &sum); err != nil || sum.Unchanged != 2 || len(sum.Rejected) != tt.bad || !sum.DryRun || sum.Read != tt.read {
				t.Errorf("%v: %+v", err, sum)
			}
		})
	}
}

func TestImportUsage(t *testing.T) {
	_, env := database(t)
	tests := []struct {
		name, file, content string
		args                []string
		code                int
		says                string
	}{
		{"empty", "c.csv", "", nil, 2, "empty"},
		{"semicolons", "c.csv", "id;name\n1;x\n", nil, 2, "save the file with commas"},
		{"unknown column", "c.csv", "id,phonenumber,time zone\n", nil, 2, "did you mean time_zone?"},
		{"no names", "c.csv", "c-1,Dana,+16505550123\n", nil, 2, "column id is missing"},
		{"column twice", "c.csv", "id,name,Name\n", nil, 2, "column name comes twice"},
		{"column without name", "c.csv", "id,,name\n", nil, 2, "column 2 has no name"},
		{"quote in the names", "c.csv", "id,\"name\nc-1,x\n", nil, 2, "never closed"},
		{"other kind", "c.xlsx", "x", nil, 2, "must end with .csv"},
		{"both", "c.csv", "id\n", []string{"--dry-run", "--resume"}, 2, "don't go together"},
		{"names only", "c.csv", "id,name\n", nil, 0, "0 read"},
		{"quote that is never closed", "c.csv", "id,name\na,x\nb,\"" + strings.Repeat("x,y\n", 400_000), nil, 1, "after line 2: a row is longer than 1 MB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := invoke(t, env, "", append([]string{"customers", "import", fileWith(t, tt.file, tt.content)}, tt.args...)...)
			v.want(t, tt.code, tt.says)
			if strings.Contains(v.err, "650555") {
				t.Errorf("it shows a number: %s", v.err)
			}
		})
	}
	invoke(t, env, "", "customers", "import").want(t, 2, "needs a FILE")
	invoke(t, env, "", "customers", "import", "/nowhere.csv").want(t, 2, "/nowhere.csv")
	fresh := map[string]string{"ONMYWAY_DATABASE__URL": "sqlite:" + filepath.Join(t.TempDir(), "x.db")}
	invoke(t, fresh, "", "customers", "import", fileWith(t, "c.csv", "id\na\n")).want(t, 1, "run `onmyway migrate up`")
}

func FuzzImportRows(f *testing.F) {
	f.Add([]byte(fewCustomers), false)
	f.Add([]byte("id,sms\n\"a\nb\",on\n\"c"), false)
	f.Add([]byte("id\n\"\"\"\n"), false)
	f.Add([]byte(`{"id":"a","preferences":{"quiet_hours":{"start":"22:00","end":"08:00"}}}`), true)
	f.Add([]byte("{\"id\":\"a\"}\n{\"id\":1}\n[]\nnull\n"), true)
	f.Fuzz(func(t *testing.T, in []byte, lines bool) {
		open := openCSV
		if lines {
			open = openJSONL
		}
		rows, err := open(bytes.NewReader(in))
		if err != nil {
			return
		}
		for last := 0; ; {
			row, err := rows.next()
			if err != nil {
				return
			}
			if row.line < last || row.line < 1 {
				t.Fatalf("line %d after %d", row.line, last)
			}
			last = row.line
			if len(row.problems) > 0 {
				continue
			}
			var once, twice notify.Customer
			row.edit(&once)
			row.edit(&twice)
			if row.id == "" || len(notify.Changes(&once, &twice)) > 0 || strings.ContainsAny(once.Name+row.id, "\x00\n\r") {
				t.Fatalf("%q: %+v", row.id, once)
			}
			if once.Phone != "" {
				if again, ok := mapping.E164(once.Phone); !ok || again != once.Phone {
					t.Fatalf("number %q", once.Phone)
				}
			}
		}
	})
}

// A file says what customers consented to: what is news goes into the ledger, and no yes lifts a withdrawal that came another way.
func TestImportConsent(t *testing.T) {
	url, env := database(t)
	first := fileWith(t, "c.csv", "id,sms_consent\nc-1,yes\nc-2,No\nc-3,\n")
	invoke(t, env, "", "customers", "import", first).want(t, 0, "3 read, 3 created")
	invoke(t, env, "", "customers", "import", first).want(t, 0, "0 created, 0 changed, 3 unchanged")
	got := stored(t, url, "c-1", "c-2", "c-3")
	if c := got[0].Consents[notify.SMS]; !c.Given || c.Source != notify.ConsentByImport || c.At.IsZero() {
		t.Errorf("c-1: %+v", c)
	}
	if !got[1].Consents.Withdrawn(notify.SMS) || got[2].Consents != nil {
		t.Errorf("c-2: %+v, c-3: %+v", got[1].Consents, got[2].Consents)
	}
	more := fileWith(t, "c.jsonl", `{"id":"c-1","sms_consent":false}`+"\n"+`{"id":"c-2","sms_consent":true}`+"\n"+`{"id":"c-3"}`)
	invoke(t, env, "", "customers", "import", "--dry-run", more).want(t, 0, "0 would be created, 2 changed, 1 unchanged")
	invoke(t, env, "", "customers", "import", more).want(t, 0, "0 created, 2 changed, 1 unchanged")
	if got := stored(t, url, "c-1", "c-2"); !got[0].Consents.Withdrawn(notify.SMS) || !got[1].Consents[notify.SMS].Given {
		t.Errorf("%+v, %+v", got[0].Consents, got[1].Consents)
	}
	wrong := fileWith(t, "w.csv", "id,sms_consent\nc-1,maybe\n")
	invoke(t, env, "", "customers", "import", wrong).want(t, 1, "line 2: sms_consent is neither yes nor no")
}
