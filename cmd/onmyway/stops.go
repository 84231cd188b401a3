package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func stopsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stops",
		Short: "See which numbers get no texts, and who said so; stop one, or lift what staff stopped",
		Long: `See which numbers get no texts, and who said so; stop one, or lift what staff stopped. Nobody but the recipient lifts what the
recipient stopped: by answering START. These commands speak to the service's REST API with an API key that has the scope
customers:read, and customers:write to change something.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(stopsListCommand(), stopsAddCommand(), stopsLiftCommand())
	return cmd
}

func stopsListCommand() *cobra.Command {
	var phone string
	var many howMany
	var output *format
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List stopped numbers, the newest stop first",
		Long: `List stopped numbers, the newest stop first. Numbers are shown masked; a number has one line for each who stopped it. With
--phone what was lifted is listed too.`,
		Example: `  onmyway stops list
  onmyway stops list --phone '(415) 555-0123' -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := many.check(cmd.Flags()); err != nil {
				return usageError{err}
			}
			client, err := newRESTClient(cmd.Flags())
			if err != nil {
				return err
			}
			list := &restList{client: client, path: stopsPath, query: url.Values{}, flags: map[string]string{"phone": "--phone"}, howMany: many}
			if phone != "" {
				list.query.Set("phone", phone)
			}
			return stopped(cmd.Context(), list.print(cmd.Context(), cmd.OutOrStdout(), *output, stopColumns))
		},
	}
	fs := cmd.Flags()
	restFlags(fs)
	fs.StringVar(&phone, "phone", "", "only this number, in any usual spelling")
	many.flags(fs)
	output = outputFlag(fs)
	return cmd
}

const stopsPath = "/v1/stopped-numbers"

// stopChange is what a change of a number says, by the names that the service has for it.
var stopChange = map[string]string{"phone": "PHONE", "reason": "--reason"}

// stopFlags adds what a change of a number needs.
func stopFlags(fs *pflag.FlagSet, reason *string) *format {
	restFlags(fs)
	fs.StringVar(reason, "reason", "", "why, in a few words; it is kept with the number")
	return outputFlag(fs)
}

// stopCall checks the arguments of a change and says where the number stands.
func stopCall(cmd *cobra.Command, phone, reason string) (*restClient, string, error) {
	if strings.TrimSpace(reason) == "" {
		return nil, "", usageError{errors.New("--reason is missing: say in a few words why, it is kept with the number")}
	}
	if strings.Contains(phone, "•") {
		return nil, "", usageError{errors.New("the number is masked: write the whole number")}
	}
	if phone = strings.TrimSpace(phone); phone == "" {
		return nil, "", usageError{errors.New("this is no phone number: write it like +14155550123")}
	}
	client, err := newRESTClient(cmd.Flags())
	return client, stopsPath + "/" + url.PathEscape(phone), err
}

func stopsAddCommand() *cobra.Command {
	var reason string
	var output *format
	cmd := &cobra.Command{
		Use:     "add PHONE --reason WORDS",
		Short:   "Stop texts to a number",
		Long:    "Stop texts to a number, whichever customers have it. What waits for it is suppressed at once.",
		Example: `  onmyway stops add '(415) 555-0123' --reason "wrong number, the owner called"`,
		Args:    exactlyOne("phone number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, path, err := stopCall(cmd, args[0], reason)
			if err != nil {
				return err
			}
			ask, err := json.Marshal(map[string]string{"reason": reason})
			if err != nil {
				return fmt.Errorf("write the request: %w", err)
			}
			body, err := client.call(cmd.Context(), restCall{
				method: http.MethodPut, path: path, body: ask, header: http.Header{"Content-Type": {"application/json"}}, flags: stopChange,
			})
			if err != nil {
				return stopped(cmd.Context(), err)
			}
			return printStop(cmd.OutOrStdout(), body, *output)
		},
	}
	output = stopFlags(cmd.Flags(), &reason)
	return cmd
}

func stopsLiftCommand() *cobra.Command {
	var reason string
	var output *format
	cmd := &cobra.Command{
		Use:     "lift PHONE --reason WORDS",
		Short:   "Lift what staff stopped",
		Long:    `Lift what staff stopped. What the recipient stopped stays: they answer START. What was suppressed meanwhile is not sent.`,
		Example: `  onmyway stops lift +14155550123 --reason "the owner wants texts again"`,
		Args:    exactlyOne("phone number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, path, err := stopCall(cmd, args[0], reason)
			if err != nil {
				return err
			}
			body, err := client.call(cmd.Context(), restCall{
				method: http.MethodDelete, path: path, query: url.Values{"reason": {reason}}, flags: stopChange,
			})
			if err != nil {
				return stopped(cmd.Context(), err)
			}
			return printLifted(cmd.OutOrStdout(), body, *output)
		},
	}
	output = stopFlags(cmd.Flags(), &reason)
	return cmd
}
