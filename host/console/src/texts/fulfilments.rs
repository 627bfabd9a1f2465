//! Fulfilment messages.

use super::texts;

texts! {
    merchant = "Merchant" / "商户";
    message = "Message" / "消息";
    message_applied = "applied" / "已处理";
    message_parked = "parked" / "已搁置";
    message_corrected = "corrected" / "已更正";
    message_discarded = "discarded" / "已丢弃";
    nothing_parked = "Nothing is parked: all messages could be applied." / "没有搁置的消息，所有消息均已处理。";
    no_messages = "There are no such messages." / "没有符合条件的消息。";
    reason = "Why" / "原因";
    received = "Received" / "接收时间";
    settled = "Settled" / "处理时间";
    raw_message = "As it was sent" / "原始消息";
    replay_message = "Replay" / "重放";
    replay_hint = "Left as it is, the message is tried again as it was sent; changed, the correction is applied in its place." / "不修改则按原消息重试；修改后以更正内容代替原消息处理。";
    replay_applied = "The message was applied." / "消息已处理。";
    replay_parked(why) = "The message still cannot be applied. {why}" / "消息仍无法处理。{why}";
    reason_may_pass = "The same message can be applied once the reason has passed." / "原因消除后，原消息即可处理。";
    reason_stays = "It must be corrected, or discarded." / "须更正或丢弃。";
    discard_message = "Discard" / "丢弃";
    discard_effect = "The message is not applied and does not wait any more. The same message, sent again, stays discarded. A replay takes it back." / "该消息不再处理，也不再等待；再次收到相同消息时仍视为丢弃。重放可恢复。";
    discard_note = "Why it is not to be applied" / "丢弃原因";
    discarded = "The message was discarded." / "消息已丢弃。";
}
