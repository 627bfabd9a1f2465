//! The organisation of a merchant.

use super::texts;

texts! {
    new_node = "New node" / "新建节点";
    no_nodes = "There are no nodes: every endpoint application may be used everywhere. Nodes are regions and stores." / "没有节点，所有端应用均不限范围。节点指区域和门店。";
    node_created = "The node was created." / "节点已创建。";
    node_id_hint = "The id by which the organisation knows it: 3 to 63 characters of a-z, 0-9 and -. It never changes. Left empty, one is made." / "组织使用的节点 ID：3–63 个字符，可用 a-z、0-9 和 -。创建后不可修改；留空则自动生成。";
    node_above = "Below" / "上级节点";
    no_node_above = "None: it is at the top" / "无（顶级节点）";
    limited = "limited" / "受限";
    limited_hint = "At a limited node, only the endpoint applications that are assigned to it may be used." / "受限节点仅可使用分配给它的端应用。";
    open_products = "What is open here" / "已开通的产品";
    open_product = "Open" / "开通";
    is_open = "open" / "已开通";
    is_closed = "closed" / "未开通";
    close_product = "Close" / "关闭";
    close_product_effect(product, node) = "{product} is closed at {node}. Assignments of endpoint applications that only it allowed end with it." / "将在 {node} 关闭 {product}，仅由其支持的端应用分配也随之结束。";
    assigned_apps = "Endpoint applications here" / "分配的端应用";
    is_assigned = "assigned" / "已分配";
    assign = "Assign" / "分配";
    unassign = "End the assignment" / "取消分配";
    unassign_effect(app, node) = "{app} may not be used at {node} and below it any more, unless it is assigned there as well." / "{app} 将不能再在 {node} 及其下级节点使用（另有分配的除外）。";
    delete_node = "Delete the node" / "删除节点";
    delete_node_effect(node) = "{node} is gone, with what is open on it and assigned to it. Nodes below it must go before." / "将删除 {node} 及其已开通产品和端应用分配。须先删除其下级节点。";
    node_deleted = "The node was deleted." / "节点已删除。";
}
