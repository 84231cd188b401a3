package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
)

// Dismiss takes processes that are known to be dead out of the group, by their Config.Member. Otherwise their partitions
// wait until Kafka notices by itself, after the session timeout. Members that are not in the group are passed over.
func (k *Kafka) Dismiss(ctx context.Context, dead []string) error {
	if len(dead) == 0 {
		return nil
	}
	described, err := k.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{k.cfg.Group}})
	if err != nil {
		return fmt.Errorf("describe group %s: %w", k.cfg.Group, err)
	}
	var gone []kafka.LeaveGroupRequestMember
	for _, g := range described.Groups {
		for _, m := range g.Members {
			if slices.ContainsFunc(dead, func(d string) bool { return m.ClientID == clientOf(d) }) {
				gone = append(gone, kafka.LeaveGroupRequestMember{ID: m.MemberID})
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	left, err := k.client.LeaveGroup(ctx, &kafka.LeaveGroupRequest{GroupID: k.cfg.Group, Members: gone})
	if err == nil {
		err = left.Error
	}
	if err != nil && !errors.Is(err, kafka.UnknownMemberId) { // it has timed out meanwhile
		return fmt.Errorf("take %d dead members out of group %s: %w", len(gone), k.cfg.Group, err)
	}
	k.log.Info("a process died; its Kafka partitions are free", "members", len(gone))
	return nil
}

// clientOf is the client id of a process in its group.
func clientOf(member string) string {
	if member == "" {
		return clientID
	}
	return clientID + "/" + member
}
