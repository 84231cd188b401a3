package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"onmyway/notify/sqlstore"
)

func customersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "customers",
		Short: "Bring customers and what they chose into the database",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(customersImportCommand())
	return cmd
}

func customersImportCommand() *cobra.Command {
	var dryRun, resume bool
	var output *format
	cmd := &cobra.Command{
		Use:   "import FILE.csv|FILE.jsonl",
		Short: "Import customers from a file, straight into the database",
		Long: `Import customers from a file, straight into the configured database. The service may run meanwhile.

A CSV file has a line of names first, in any order: ` + strings.Join(csvColumns, ", ") + `.
Only id must be there. An empty cell leaves what is stored as it is; sms, push and websocket are on, off or default;
quiet_start and quiet_end are times of day like 22:00, or none; sms_consent is yes or no. A JSONL file has one customer a line, as
PUT /v1/customers/{id} takes it, with its "id": what a line leaves out is emptied. It may have "sms_consent": true or false too.

A consent that says something new goes into the ledger, as said now, with the source "import". A yes lifts no withdrawal that came
another way: POST /v1/customers/{id}/consents does.

A line that is wrong is told with its field and what to do, and the others are imported. An id that comes a second time is
wrong: the first line counts. --dry-run checks the whole file and says what would become of it.

How far it came stands in FILE.progress. When it is interrupted, --resume goes on there, and a run from the start does no harm:
what is stored already stays as it is.`,
		Example: `  onmyway customers import --dry-run customers.csv
  onmyway customers import --config onmyway.yaml customers.csv
  onmyway customers import --resume -o json customers.jsonl`,
		Args: exactlyOne("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			job := importJob{path: args[0], dryRun: dryRun, resume: resume, output: *output}
			switch ext := strings.ToLower(filepath.Ext(args[0])); {
			case ext == ".csv":
				job.open = openCSV
			case ext == ".jsonl" || ext == ".ndjson":
				job.open = openJSONL
			default:
				return usageError{errors.New("the file's name must end with .csv, or with .jsonl for one JSON object a line")}
			}
			if dryRun && resume {
				return usageError{errors.New("--dry-run and --resume don't go together: a dry run checks the whole file")}
			}
			return job.start(cmd)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&dryRun, "dry-run", false, "only check, and say what would be created and changed")
	fs.BoolVar(&resume, "resume", false, "go on where an interrupted import of the same file stopped")
	output = outputFlag(fs)
	configFlags(fs)
	return cmd
}

// importJob is one run of customers import.
type importJob struct {
	path   string
	dryRun bool
	resume bool
	output format
	open   func(in io.Reader) (customerRows, error)
}

// customerRows are the customers of a file.
type customerRows interface {
	// next reads one more; io.EOF after the last one. Any other error ends the file.
	next() (customerRow, error)
	// at is how many bytes were read.
	at() int64
}

// start opens the file and the database and imports. A header that can't be understood is a mistake of the caller.
func (j *importJob) start(cmd *cobra.Command) error {
	in, err := openInput(cmd, []string{j.path})
	if err != nil {
		return err
	}
	defer in.close()
	if in.file == nil || in.size == 0 {
		return usageError{errors.New("the file is empty or no ordinary file")}
	}
	rows, err := j.open(in)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", j.path, err)}
	}
	return withSchema(cmd, func(ctx context.Context, s *sqlstore.Store) error {
		bar := newProgress(cmd.ErrOrStderr(), in.size)
		run := customerImport{store: s, rows: rows, bar: bar, wrong: wrongLines{bar: bar}, dryRun: j.dryRun}
		if !j.dryRun {
			if run.mark, err = openMark(ctx, j.path, j.resume, bar.say); err != nil {
				return err
			}
		}
		err := stopped(ctx, run.all(ctx))
		bar.clear()
		return run.report(cmd.OutOrStdout(), j.output, err)
	})
}
