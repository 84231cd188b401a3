package main

import (
	"github.com/spf13/cobra"

	"onmyway/cmd/onmyway/demo"
)

func demoTwilioCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "twilio",
		Short: "Play Twilio for a service of yours, and show the texts that it sends",
		Long: `Play Twilio for a service of yours, and show the texts that it sends, numbers and all. Nothing leaves this machine and no account is
needed. It prints the variables that lead the service here, and reports every text as delivered to a service that says where
it is (http.public_url).`,
		Example: `  onmyway demo twilio
  onmyway demo twilio --addr 127.0.0.1:8095`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Twilio(cmd.Context(), addr, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8091", "where it listens; a free port when this one is taken")
	return cmd
}
