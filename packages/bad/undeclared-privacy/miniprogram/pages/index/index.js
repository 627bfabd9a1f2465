Page({
  data: { shop: '' },

  onLoad() {
    const show = (place) => this.setData({ shop: `${place.latitude}, ${place.longitude}` });
    wx.getLocation({ success: show });
  },
});
