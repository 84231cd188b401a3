package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// commit and built are set by the linker where there is no repository to read them from, as in a container build.
var commit, built string

func versionCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and what it was built from",
		Long:  "Print the version, the commit and the time of the build, the Go release and the platform.",
		Example: `  onmyway version
  onmyway version -o json | jq -r .commit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild()
			if *output == asJSON {
				return printJSON(cmd.OutOrStdout(), b)
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), b)
			return err
		},
	}
	output = outputFlag(cmd.Flags())
	return cmd
}

// buildInfo is where the binary comes from.
type buildInfo struct {
	Version   string `json:"version"`
	Commit    string `json:"commit,omitempty"`
	Modified  bool   `json:"modified"`            // built from files that were not committed
	Built     string `json:"built,omitempty"`     // RFC 3339; set by releases
	Committed string `json:"committed,omitempty"` // RFC 3339: when the commit was made
	Go        string `json:"go"`                  // release of Go
	Platform  string `json:"platform"`            // os/arch
}

func thisBuild() buildInfo {
	b := buildInfo{Version: version, Commit: commit, Built: built, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; version == "dev" && v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Committed = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String writes one fact a line, and leaves out what is not known.
func (b buildInfo) String() string {
	text := "onmyway " + b.Version + "\n"
	add := func(name, value string) {
		if value != "" {
			text += fmt.Sprintf("%-10s %s\n", name, value)
		}
	}
	revision := b.Commit
	if b.Modified {
		revision += " with changes"
	}
	add("commit", revision)
	add("committed", b.Committed)
	add("built", b.Built)
	add("go", b.Go)
	add("platform", b.Platform)
	return text
}
