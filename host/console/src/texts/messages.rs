//! Subscription messages.

use super::{Language, Texts, texts};
use berth_model::message::{MessageCategory, MessageFieldType, SubscriptionKind};

texts! {
    messages = "Messages" / "订阅消息";
    message_templates = "Templates" / "我的模板";
    no_message_templates = "No template is chosen yet. A MiniApp sends messages in the form of templates, to users who have allowed them." / "还没有选用模板。小程序按模板向已同意订阅的用户发送消息。";
    message_add = "Choose a template" / "选用模板";
    message_title = "Title" / "模板标题";
    message_kind = "Consent" / "订阅类型";
    message_one_time = "one message for each consent" / "一次性订阅";
    message_long_term = "until withdrawn, 5 a day" / "长期订阅（每天最多 5 条）";
    message_category = "About" / "所属类目";
    message_lines = "Lines to choose from" / "可选关键词";
    message_found_none = "No public template fits." / "公共模板库中没有符合条件的模板。";
    message_template_id = "Template id" / "模板 ID";
    message_added_at = "Added" / "添加时间";
    message_search_hint = "Words in title or lines" / "标题或关键词";

    message_line(number) = "Line {number}" / "第 {number} 行";
    message_lines_hint = "1 to 5 lines, each once, in the order in which users see them." / "选择 1–5 个关键词，不可重复，按所选顺序展示给用户。";
    message_no_line = "no line" / "不使用";
    message_add_it = "Add to the templates" / "添加到我的模板";
    message_added = "The template was added. Its id is what the MiniApp asks by and its server sends by." / "模板已添加。小程序请求订阅和服务端发送消息时使用该模板 ID。";

    message_preview = "What users see" / "消息预览";
    message_fields = "Fields" / "详细内容";
    message_field = "Field" / "字段名";
    message_field_rule = "What fits" / "填写要求";
    message_example = "Example" / "示例";
    message_counts = "What became of its messages" / "发送情况";
    message_counts_hint = "Among the last 200 messages of the MiniApp." / "统计范围为此小程序最近发送的 200 条消息。";
    message_remove = "Remove the template" / "删除模板";
    message_remove_effect(title) = "No message of “{title}” can be sent any more, and the MiniApp cannot ask for it." / "将无法再发送“{title}”消息，小程序也无法再请求订阅该模板。";
    message_remove_consents = "What users have allowed for it is gone: they must be asked anew, should it be added again." / "用户对该模板的订阅将全部失效；重新添加后需再次征得用户同意。";
    message_removed = "The template was removed." / "模板已删除。";

    messages_sent = "Sent messages" / "发送记录";
    messages_sent_hint = "What they say and to whom is known to the host app alone." / "消息内容与接收用户仅宿主应用可知。";
    no_messages_sent = "Nothing was sent yet." / "暂无发送记录。";
    message_id = "Message" / "消息 ID";
    message_template = "Template" / "模板";
    message_sent_at = "Sent" / "发送时间";
    message_then = "Then" / "后续";
    message_sent = "sent" / "已发送";
    message_shown = "shown" / "已展示";
    message_opened = "opened" / "已打开";
    message_refused = "refused" / "已拒绝";
    comma = ", " / "、";
}

impl Texts {
    /// How often a consent allows a message.
    pub fn subscription_kind(self, kind: &SubscriptionKind) -> &'static str {
        match kind {
            SubscriptionKind::OneTime => self.message_one_time(),
            SubscriptionKind::LongTerm => self.message_long_term(),
        }
    }

    /// What templates are about.
    pub fn message_category_name(self, category: &MessageCategory) -> &'static str {
        use MessageCategory as Is;
        match (self.0, *category) {
            (Language::English, category) => category.as_str(),
            (_, Is::Shopping) => "购物",
            (_, Is::Catering) => "餐饮",
            (_, Is::Logistics) => "物流",
            (_, Is::Travel) => "出行",
            (_, Is::Health) => "医疗",
            (_, Is::Education) => "教育",
            (_, Is::Finance) => "金融",
            (_, Is::Government) => "政务",
            (_, Is::Living) => "生活服务",
            (_, Is::Events) => "活动",
            (_, Is::Services) => "其他服务",
        }
    }

    /// What fits a field.
    pub fn message_rule(self, kind: &MessageFieldType) -> &'static str {
        use MessageFieldType as Is;
        match (self.0, *kind) {
            (Language::English, kind) => kind.rule(),
            (_, Is::Thing) => "1–20 个字符",
            (_, Is::Number) => "32 位以内数字，可带小数",
            (_, Is::Letter) => "32 位以内字母",
            (_, Is::Symbol) => "5 位以内符号",
            (_, Is::CharacterString) => "32 位以内数字、字母或符号",
            (_, Is::Time) => "时间，例如 15:01 或 2026-01-31 15:01",
            (_, Is::Date) => "日期，例如 2026-01-31 或 2026年1月31日",
            (_, Is::Amount) => "金额，10 位以内数字，例如 ¥32.00 或 32元",
            (_, Is::PhoneNumber) => "电话号码，17 位以内数字或符号",
            (_, Is::CarNumber) => "车牌号，8 位以内",
            (_, Is::Name) => "10 个以内汉字，或 20 个以内字母和空格",
            (_, Is::Phrase) => "5 个以内汉字",
        }
    }
}
