package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"onmyway/channels/webpush"
)

func vapidCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vapid",
		Short: "Make the keys that browsers subscribe to",
		Long:  "Make the pair of keys with which this service proves to push services who it is (VAPID, RFC 8292).",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(vapidGenerateCommand())
	return cmd
}

func vapidGenerateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Print a new pair as configuration",
		Long: `Print a new pair as configuration. Make it once: every browser's subscription is bound to the public key.

The private key is a secret. With --private-key-file it goes into a file of its own, which only you can read and which must not
be there yet; the configuration then names the file.`,
		Example: `  onmyway vapid generate --private-key-file secrets/vapid >> onmyway.yaml
  onmyway vapid generate`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, private, err := webpush.GenerateKeys()
			if err != nil {
				return err
			}
			key := "private_key: " + private + " # or, in a file of its own, private_key_file: secrets/vapid"
			if file != "" {
				if err := keepSecret(file, private); err != nil {
					return err
				}
				key = fmt.Sprintf("private_key_file: %q", file)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "push:\n  vapid:\n    public_key: %s\n    %s\n    subject: you@example.com # yours: push services write to it\n", public, key)
			return err
		},
	}
	cmd.Flags().StringVar(&file, "private-key-file", "", "where to put the private key, instead of printing it")
	return cmd
}

// keepSecret writes a secret into a new file for its owner alone.
func keepSecret(path, secret string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return usageError{fmt.Errorf("--private-key-file: %s is there already: browsers may be bound to the key in it, so name another file", path)}
	case err != nil:
		return usageError{fmt.Errorf("--private-key-file: %w", err)}
	}
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // half a key would be in the way of the next try
		return fmt.Errorf("keep the private key: %w", err)
	}
	return nil
}
