// Package kafkasource reads orders' events from Kafka and writes to it. It is the first and the last step of a batch's
// way, and the only importer of kafka-go:
//
//	Kafka ─► Run         joins the group; one worker for each partition that is ours
//	  ▼      Fetch       one fetch response is one natural batch: what is there, no added wait
//	         (notify.Intake does its work)
//	  ▼      Commit      on the handle of the generation that gave the partition, never on a newer one
//	Kafka ◄─ Produce     events that came over HTTP, and dead letters
//
// Why not kafka.Reader with a group: its commits carry no generation, so a worker that lost its partition moves the
// committed offset back under the feet of the new owner. A Generation's handle is refused by the broker instead.
//
// Two things that Kafka has and this package does not see: records of transactions that were aborted are read like any
// other (kafka-go does not filter them; their producers write them again, and the second is a known event), and a topic
// that is deleted and made again while it is read is noticed only when our offset is outside the new one.
package kafkasource
