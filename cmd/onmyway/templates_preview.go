package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"onmyway/notify"
	"onmyway/templates"
)

// previewOptions is what a person wants to see.
type previewOptions struct {
	milestone, line, locale, dir string
	data, name, order, zone, at  string
	transliterate                bool
}

// preview is a text as customers get it, on every channel.
type preview struct {
	Line      notify.Line `json:"line"`
	Milestone string      `json:"milestone"`
	Asked     string      `json:"asked_locale"`
	Locale    string      `json:"locale"` // of the words
	File      string      `json:"file"`
	Override  bool        `json:"override"`
	Version   string      `json:"version"`
	SMS       smsPreview  `json:"sms"`
	Push      cardPreview `json:"push"`
	WebSocket cardPreview `json:"websocket"`
	Problems  []string    `json:"problems,omitempty"` // texts that can't be written from the data
}

// smsPreview is a text message and what it costs: carriers charge by the segment.
type smsPreview struct {
	Text       string `json:"text"`
	Characters int    `json:"characters"`
	Alphabet   string `json:"alphabet"` // "GSM-7" or "UCS-2"
	Segments   int    `json:"segments"`
	CostUnits  int    `json:"cost_units"`
}

// cardPreview is a push or live message.
type cardPreview struct {
	Title           string `json:"title"`
	Body            string `json:"body"`
	TitleCharacters int    `json:"title_characters"`
	BodyCharacters  int    `json:"body_characters"`
}

func templatesPreviewCommand() *cobra.Command {
	o := previewOptions{}
	var dir *string
	var output *format
	cmd := &cobra.Command{
		Use:   "preview MILESTONE",
		Short: "Show a text on all channels as a person will see it",
		Long: `Show a text on all channels as a person will see it: text message, push and live message, with characters, alphabet,
segments and cost units. Without --data it is written from an example that says everything; --data '-' reads standard
input. The file has what stands under "data" in an event, or the whole event. What it says and no text speaks of is named: it may
be misspelt.`,
		Example: `  onmyway templates preview driver_en_route_to_pickup --line car_haul
  onmyway templates preview delivered --line drive_away --locale es --transliterate
  echo '{"driver_name":"Sam","minutes_away":4}' | onmyway templates preview driver_arriving --data -
  onmyway templates preview docs_requested --dir ./texts -o json | jq .sms.segments`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name one milestone: `onmyway templates list` has them")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.milestone, o.dir = args[0], *dir
			return previewText(cmd, o, *output)
		},
	}
	dir = dirFlag(cmd.Flags())
	output = outputFlag(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&o.line, "line", "", "line of business; needed where several have the milestone")
	f.StringVar(&o.locale, "locale", "en-US", "the customer's language")
	f.StringVar(&o.data, "data", "", "file with what the event says (JSON); - for standard input")
	f.StringVar(&o.name, "name", "Dana Reyes", "the customer's name")
	f.StringVar(&o.order, "order", "CH-1001", "the number of the order")
	f.StringVar(&o.zone, "time-zone", "America/Los_Angeles", "the customer's time zone")
	f.StringVar(&o.at, "at", "", "when it is written, such as 2026-11-21T19:00:00Z; empty: now, and for the example its own day")
	f.BoolVar(&o.transliterate, "transliterate", false, "write the text message without accents, as sms.transliterate does")
	return cmd
}

func previewText(cmd *cobra.Command, o previewOptions, output format) error {
	line, err := lineOf(o.milestone, o.line)
	if err != nil {
		return err
	}
	set, err := loadTexts(o.dir)
	if err != nil {
		return err
	}
	if _, err := language.Parse(o.locale); err != nil {
		return usageError{fmt.Errorf("--locale: %q is no language%s: use one like en, es or es-MX", o.locale, didYouMean(o.locale, set.Locales()))}
	}
	t := set.Lookup(string(line), o.milestone, o.locale)
	if t == nil {
		return fmt.Errorf("%s of %s has no words", o.milestone, line)
	}
	vars, err := o.vars(cmd.InOrStdin(), line)
	if err != nil {
		return usageError{err}
	}
	warnOfFacts(cmd.ErrOrStderr(), vars.Facts)
	p := written(t, vars, o.transliterate)
	p.Line, p.Milestone, p.Asked = line, o.milestone, o.locale
	switch out := cmd.OutOrStdout(); {
	case output == asJSON:
		err = printJSON(out, p)
	case terminal(out) && os.Getenv("NO_COLOR") == "":
		err = p.draw(out)
	default:
		err = p.print(out)
	}
	if err == nil && len(p.Problems) > 0 {
		err = fmt.Errorf("the text can't be written: %s", p.Problems[0])
	}
	return err
}

// lineOf finds the line of business of a milestone, and says what was meant when there is none.
func lineOf(milestone, name string) (notify.Line, error) {
	lines := notify.Lines
	if name != "" {
		line, err := knownLine(name)
		if err != nil {
			return "", err
		}
		lines = []notify.Line{line}
	}
	var having, names []string
	for _, line := range lines {
		for _, m := range notify.Milestones(line) {
			names = append(names, m.Name)
			switch {
			case m.Name != milestone:
			case !m.Visible:
				return "", usageError{fmt.Errorf("%s is for staff: customers are not told", milestone)}
			default:
				having = append(having, string(line))
			}
		}
	}
	switch len(having) {
	case 0:
		if name != "" {
			name = " of " + name
		}
		return "", usageError{fmt.Errorf("unknown milestone %q%s%s", milestone, name, didYouMean(milestone, names))}
	case 1:
		return notify.Line(having[0]), nil
	}
	return "", usageError{fmt.Errorf("%s is a milestone of %s: choose with --line", milestone, strings.Join(having, " and "))}
}

// vars is what the text is written from.
func (o *previewOptions) vars(stdin io.Reader, line notify.Line) (*templates.Vars, error) {
	v := &templates.Vars{OrderID: o.order, Line: string(line), Customer: o.name, Now: time.Now()}
	var err error
	if v.Zone, err = time.LoadLocation(o.zone); err != nil {
		return nil, fmt.Errorf("--time-zone: %q is no IANA time zone, such as America/New_York", o.zone)
	}
	data := templates.Example(o.milestone)
	switch o.data {
	case "":
		v.Now = templates.ExampleTime
	case "-":
		data, err = io.ReadAll(io.LimitReader(stdin, maxBatchBytes))
	default:
		data, err = os.ReadFile(o.data)
	}
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if o.at != "" {
		if v.Now, err = time.Parse(time.RFC3339, o.at); err != nil {
			return nil, fmt.Errorf("--at: %q is no time, such as 2026-11-21T19:00:00Z", o.at)
		}
	}
	if v.Facts, err = templates.ParseFacts(dataOf(data)); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	return v, nil
}

// warnOfFacts names what the data says and no text can speak of: most often it is misspelt.
func warnOfFacts(w io.Writer, facts templates.Facts) {
	var known []string
	for _, d := range templates.Declared() {
		known = append(known, d.Name)
		switch d.Kind {
		case templates.KindWindow:
			known = append(known, d.Name+".start", d.Name+".end")
		case templates.KindMoney:
			known = append(known, d.Name+".amount", d.Name+".currency")
		}
	}
	for _, f := range facts {
		if !slices.Contains(known, f.Name) {
			fmt.Fprintf(w, "warning: no text speaks of %q%s\n", oneLine(f.Name), didYouMean(f.Name, known))
		}
	}
}

// dataOf is what stands under "data" when a whole event was given, or else all of it.
func dataOf(event []byte) []byte {
	var e struct {
		Milestone string          `json:"milestone"`
		Data      json.RawMessage `json:"data"`
	}
	if json.Unmarshal(event, &e) == nil && e.Milestone != "" {
		return e.Data
	}
	return event
}

// written writes all texts of a template.
func written(t *templates.Template, v *templates.Vars, transliterate bool) preview {
	p := preview{Locale: t.Locale, File: t.File, Override: t.Override, Version: t.Version}
	write := func(text func(*templates.Vars) (string, error)) string {
		s, err := text(v)
		if err != nil && !slices.Contains(p.Problems, err.Error()) {
			p.Problems = append(p.Problems, err.Error())
		}
		return s
	}
	text, title, body := write(t.SMS), write(t.Title), write(t.Body)
	if transliterate {
		text = templates.Fold(text)
	}
	segments, unicode := templates.Segments(text)
	p.SMS = smsPreview{Text: text, Characters: utf8.RuneCountInString(text), Alphabet: "GSM-7", Segments: segments, CostUnits: segments}
	if unicode {
		p.SMS.Alphabet = "UCS-2"
	}
	p.Push = cardPreview{title, body, utf8.RuneCountInString(title), utf8.RuneCountInString(body)}
	p.WebSocket = p.Push
	return p
}
