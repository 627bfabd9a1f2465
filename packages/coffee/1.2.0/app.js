App({
  globalData: { cart: [], stamps: 0 },

  onLaunch() {
    this.globalData.cart = wx.getStorageSync('cart') || []
    this.globalData.stamps = wx.getStorageSync('stamps') || 0
  }
})
